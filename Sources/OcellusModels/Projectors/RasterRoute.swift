// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// An order in which a scan visits the cells of a grid.
///
/// - Source: Liu et al. 2024 (VMamba), figure 3.
enum RasterRoute {
    /// Row by row, from the first cell.
    case rows
    /// Column by column, from the first cell.
    case columns
    /// `rows` from its end.
    case rowsBackward
    /// `columns` from its end.
    case columnsBackward

    /// The routes of a model file's `ocellus.projector.scan`, in the order of their parameters.
    static func routes(_ name: String) -> [RasterRoute]? {
        switch name {
        case "bidirectional": [.rows, .rowsBackward]
        case "cross": [.rows, .columns, .rowsBackward, .columnsBackward]
        default: nil
        }
    }

    /// The cell that is visited at a step.
    func cell(at step: Int, of grid: FeatureGrid) -> Int {
        switch self {
        case .rows: step
        case .columns: step % grid.height * grid.width + step / grid.height
        case .rowsBackward: grid.cellCount - 1 - step
        case .columnsBackward: RasterRoute.columns.cell(at: grid.cellCount - 1 - step, of: grid)
        }
    }

    /// Puts the cells in the order of the visits: `out[step] = x[cell]`.
    @_noAllocation @_noLocks
    func follow(_ x: Tensor, on grid: FeatureGrid, into out: Tensor) {
        for step in 0..<grid.cellCount {
            let cell = cell(at: step, of: grid)
            out.rows(step..<step + 1).copy(from: x.rows(cell..<cell + 1))
        }
    }

    /// Puts the visits back in the order of the cells: `out[cell] = x[step]`.
    @_noAllocation @_noLocks
    func leave(_ x: Tensor, on grid: FeatureGrid, into out: Tensor) {
        for step in 0..<grid.cellCount {
            let cell = cell(at: step, of: grid)
            out.rows(cell..<cell + 1).copy(from: x.rows(step..<step + 1))
        }
    }
}
