// SPDX-License-Identifier: Apache-2.0
import OcellusKernels
import OcellusMemory

/// Computing the cells alone that a change of the picture reaches.
///
/// What is computed is bit by bit what `runWhole` would give, and the other cells are as it left them.
extension ConvolutionalLayer {
    /// The cells of a layer that are computed, and where they lie one behind the other.
    struct Part {
        /// Where the input of a layer changes.
        struct Change {
            let spans: PlannedSpans
            /// The cells of the spans, one behind the other; nil for pixels.
            let cells: PlannedTensor?
        }

        /// The cells that are computed.
        let spans: PlannedSpans
        /// (at most all cells, channels): the cells before they are put into a result that is kept, or the
        /// result itself.
        let cells: PlannedTensor
        /// What a pointwise layer reads; nil for a layer that reads windows of its whole input.
        fileprivate let changedCells: PlannedTensor?
        /// Where the input changed, for a layer that reads windows.
        fileprivate let changedSpans: PlannedSpans?

        private let isOwn: Bool

        init(
            _ name: String,
            reach: Reach,
            change: Change,
            output: FeatureMap,
            planner: inout MemoryPlanner
        ) {
            switch reach {
            case .cell:
                spans = change.spans
                (changedSpans, changedCells) = (nil, change.cells)
            case .window, .picture:
                spans = PlannedSpans(name + "spans", grid: output.grid, planner: &planner)
                (changedSpans, changedCells) = (change.spans, nil)
            }
            isOwn = output.isKept
            cells =
                isOwn
                ? planner.tensor(
                    name + "cells",
                    rows: output.tensor.rows,
                    columns: output.tensor.columns,
                    in: .scratch
                ) : output.tensor
        }

        /// What changes for the next layer.
        var change: Change { Change(spans: spans, cells: cells) }

        /// Ends the life of the cells in the plan, if they are not the result.
        func release(from planner: inout MemoryPlanner) {
            if isOwn { planner.release(cells) }
        }
    }

    /// Computes the cells that a change of the input reaches, or all if the layer has no part.
    @_noAllocation @_noLocks
    func run(in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        guard let part else { return runWhole(in: arena, on: pool) }
        let spans = part.spans.view(in: arena)
        if let changed = part.changedSpans {
            spans.cover(changed.view(in: arena), seenBy: geometry)
        }
        let count = spans.count
        guard !spans.isWhole else { return runWhole(in: arena, on: pool) }
        guard count > 0 else { return }
        let cells = arena[part.cells].prefix(rows: count)
        if let changed = part.changedCells {
            let x = arena[changed].prefix(rows: count)
            compute(x, spans: nil, into: cells, in: arena, on: pool)
        } else {
            compute(arena[input], spans: spans, into: cells, in: arena, on: pool)
        }
        if let shortcut { spans.add(arena[shortcut], into: cells, on: pool) }
        if output.isKept { spans.scatter(cells, into: arena[output.tensor]) }
    }

    /// The multiply-adds of the convolution in the last run, and of all its cells.
    @_noAllocation @_noLocks
    func work(in arena: borrowing Arena) -> ConvolutionWork {
        let whole = output.grid.cellCount * cellWork
        guard let part else { return ConvolutionWork(done: whole, whole: whole) }
        return ConvolutionWork(done: part.spans.view(in: arena).count * cellWork, whole: whole)
    }
}
