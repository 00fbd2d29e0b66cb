// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// How the features of a picture are arranged: a grid of cells, row by row.
public struct FeatureGrid: Sendable {
    /// The count of rows.
    public let height: Int
    /// The count of columns.
    public let width: Int

    /// The count of features.
    public var cellCount: Int { height * width }
}

/// Features in the arena, (grid.cellCount, channels).
struct FeatureMap {
    let tensor: PlannedTensor
    let grid: FeatureGrid
    /// Whether they outlive a run, because the next one may compute a part of them.
    var isKept = false

    /// Ends their life in the plan, if it ends with a run.
    func release(from planner: inout MemoryPlanner) {
        if !isKept { planner.release(tensor) }
    }
}
