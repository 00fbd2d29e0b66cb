// SPDX-License-Identifier: Apache-2.0
public import OcellusMemory

/// The recurrent memory of a Mamba decoder: all that it keeps of what it has read.
///
/// One contiguous row of `Float`, so that a fork is one copy. Per layer, in this order:
///
///     history  (dConv - 1, channels)  the last inputs of the causal convolution, oldest first
///     h        (dInner, dState)       Mamba-1
///              (headCount * headWidth, dState)  Mamba-2
///
/// Its size does not depend on how much was read.
public struct DecoderState {
    /// Where each part of a state lies.
    public struct Layout: Sendable {
        /// The count of layers.
        public let layerCount: Int
        let historyRows: Int
        let channels: Int
        let dInner: Int
        let dState: Int

        init(_ configuration: MambaConfiguration) {
            layerCount = configuration.layerCount
            historyRows = configuration.dConv - 1
            channels = configuration.convolutionChannels
            dInner = configuration.dInner
            dState = configuration.dState
        }

        var historyCount: Int { historyRows * channels }
        var layerStride: Int { historyCount + dInner * dState }

        /// The count of elements of a whole state.
        public var count: Int { layerCount * layerStride }
    }

    /// Where each part lies.
    public let layout: Layout
    /// All elements, (1, layout.count).
    public let elements: Tensor

    /// A state in memory that the arena gave.
    public init(layout: Layout, elements: Tensor) {
        precondition(elements.count == layout.count)
        self.layout = layout
        self.elements = elements
    }

    /// The last inputs of a layer's convolution, (dConv - 1, channels), oldest first.
    public func history(layer: Int) -> Tensor {
        slice(
            at: layer * layout.layerStride,
            rows: layout.historyRows,
            columns: layout.channels
        )
    }

    /// The hidden state of a layer, (dInner, dState).
    public func h(layer: Int) -> Tensor {
        slice(
            at: layer * layout.layerStride + layout.historyCount,
            rows: layout.dInner,
            columns: layout.dState
        )
    }

    /// Forgets everything.
    public func reset() {
        elements.fill(0)
    }

    /// Becomes an equal state: what a fork is.
    public func copy(from other: DecoderState) {
        elements.copy(from: other.elements)
    }

    private func slice(at offset: Int, rows: Int, columns: Int) -> Tensor {
        elements.reshaped(rows: layout.count, columns: 1)
            .rows(offset..<offset + rows * columns)
            .reshaped(rows: rows, columns: columns)
    }
}
