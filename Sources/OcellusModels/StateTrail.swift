// SPDX-License-Identifier: Apache-2.0
public import OcellusMemory

/// The states between the tokens of a short run: what a state goes back to when some of the tokens
/// turn out to be wrong.
public struct StateTrail {
    private let layout: DecoderState.Layout
    private let elements: Tensor  // (tokens, layout.count)

    /// A trail in memory that the arena gave, one row for each token of a run but the last.
    public init(layout: DecoderState.Layout, elements: Tensor) {
        precondition(elements.columns == layout.count)
        self.layout = layout
        self.elements = elements
    }

    /// The state after a token of the last run, which was not its last one.
    @_noAllocation @_noLocks
    public func state(after token: Int) -> DecoderState {
        DecoderState(layout: layout, elements: elements.rows(token..<token + 1))
    }

    /// Keeps the history of a layer's convolution after a token, unless it is the last that can be.
    @_noAllocation @_noLocks
    func keepHistory(of state: DecoderState, layer: Int, after token: Int) {
        guard token < elements.rows else { return }
        self.state(after: token).history(layer: layer).copy(from: state.history(layer: layer))
    }

    /// Keeps the hidden state of a layer, as `keepHistory`.
    @_noAllocation @_noLocks
    func keepHidden(of state: DecoderState, layer: Int, after token: Int) {
        guard token < elements.rows else { return }
        self.state(after: token).h(layer: layer).copy(from: state.h(layer: layer))
    }
}
