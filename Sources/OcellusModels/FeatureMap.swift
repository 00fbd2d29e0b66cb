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
}
