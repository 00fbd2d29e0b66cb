// SPDX-License-Identifier: Apache-2.0
import OcellusKernels
import OcellusMemory

/// The features are the tokens: for an encoder whose width is the decoder's, and to look at one alone.
struct NoProjector {
    /// (rowsBefore + cells, width).
    let tokens: PlannedTensor
    private let rowsBefore: Int

    init(input: ProjectorInput, planner: inout MemoryPlanner) {
        rowsBefore = input.rowsBefore
        tokens = planner.tensor(
            "mm.tokens",
            rows: rowsBefore + input.grid.cellCount,
            columns: input.width,
            in: .scratch
        )
        planner.release(input.owned)
        planner.advance()
    }

    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena) {
        let all = arena[tokens]
        all.rows(rowsBefore..<all.rows).copy(from: x)
    }
}
