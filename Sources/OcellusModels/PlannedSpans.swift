// SPDX-License-Identifier: Apache-2.0
import OcellusKernels
import OcellusMemory

/// Which cells of a grid are computed, in the arena.
struct PlannedSpans {
    private let grid: FeatureGrid
    private let bytes: PlannedBytes

    init(_ name: String, grid: FeatureGrid, planner: inout MemoryPlanner) {
        self.grid = grid
        let count = CellSpans.byteCount(height: grid.height)
        bytes = planner.bytes(name, count: count, in: .state)
    }

    @_noAllocation @_noLocks
    func view(in arena: borrowing Arena) -> CellSpans {
        CellSpans(arena[bytes], height: grid.height, width: grid.width)
    }
}
