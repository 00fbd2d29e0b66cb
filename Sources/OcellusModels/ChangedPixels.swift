// SPDX-License-Identifier: Apache-2.0
import OcellusKernels
public import OcellusMemory

/// Finds where a picture differs from the one that was encoded before, and takes the rest from that.
///
/// The picture is compared in blocks of 8 x 8 pixels. A block changed if the mean distance of its samples
/// is above a threshold, in steps of 1/255 of the range of a sample:
///
///     255 s[c] mean over the block of |x[c, i] - kept[c, i]|  >  threshold,  for any channel c
///
/// with s the deviation that the pixels were divided by. In each row the pixels from the first changed
/// block to the last are new, the others are the kept ones, so that a slow drift adds up until it counts.
/// At threshold 0 the picture stays as it is.
///
/// A sensor's noise does not cancel out in this mean, other than in that of `ChangeGate`, which decides
/// whether a frame is encoded at all; in return no texture hides a change.
public struct ChangedPixels {
    /// The width and height of a block in pixels.
    static var blockSide: Int { 8 }

    /// Which pixels are new.
    let spans: PlannedSpans

    private let side: Int
    private let scale: SIMD3<Float>
    private let threshold: Float
    private let kept: PlannedTensor  // (3, side * side)
    private let differences: PlannedTensor  // (1, side)

    /// Plans the kept picture of `side` x `side` pixels that were divided by `deviation`.
    public init(
        side: Int,
        deviation: SIMD3<Float>,
        threshold: Float,
        planner: inout MemoryPlanner
    ) {
        self.side = side
        self.threshold = threshold
        scale = 255 * deviation
        let grid = FeatureGrid(height: side, width: side)
        spans = PlannedSpans("kept.spans", grid: grid, planner: &planner)
        kept = planner.tensor("kept.pixels", rows: 3, columns: side * side, in: .state)
        differences = planner.tensor("kept.differences", rows: 1, columns: side, in: .scratch)
        planner.release(differences)
    }

    /// Forgets the kept picture: all of the next one is new.
    @_noAllocation @_noLocks
    func forget(in arena: borrowing Arena) {
        arena[kept].fill(.nan)
    }

    /// Finds what is new in a picture, keeps it, and puts the kept pixels into the rest.
    ///
    /// - Shapes: pixels (3, side * side).
    @_noAllocation @_noLocks
    func update(_ pixels: Tensor, in arena: borrowing Arena) {
        let kept = arena[self.kept]
        let spans = self.spans.view(in: arena)
        for block in 0..<blockCount {
            let rows = block * Self.blockSide..<min((block + 1) * Self.blockSide, side)
            let run = changedColumns(rows, pixels, kept, differences: arena[differences])
            for row in rows {
                spans.set(run, row: row)
                for channel in 0..<3 {
                    let first = (channel * side + row) * side
                    let samples = first + run.lowerBound..<first + run.upperBound
                    kept.samples(samples).copy(from: pixels.samples(samples))
                }
            }
        }
        pixels.copy(from: kept)
    }

    /// The count of blocks in a row, the last one perhaps narrower.
    private var blockCount: Int { (side + Self.blockSide - 1) / Self.blockSide }

    /// The columns from the first changed block in some rows to the last.
    @_noAllocation @_noLocks
    private func changedColumns(
        _ rows: Range<Int>,
        _ pixels: Tensor,
        _ kept: Tensor,
        differences: Tensor
    ) -> Range<Int> {
        var (first, end) = (side, 0)
        for channel in 0..<3 {
            let firstRow = channel * side + rows.lowerBound
            let lines = firstRow..<firstRow + rows.count
            columnDifferences(
                pixels.reshaped(rows: 3 * side, columns: side).rows(lines),
                kept.reshaped(rows: 3 * side, columns: side).rows(lines),
                into: differences
            )
            for block in 0..<blockCount {
                let columns = block * Self.blockSide..<min((block + 1) * Self.blockSide, side)
                var sum: Float = 0
                for column in columns { sum += differences[0, column] }
                let mean = sum / Float(rows.count * columns.count)
                // Where nothing was kept, the mean is not a number.
                if scale[channel] * mean <= threshold { continue }
                first = min(first, columns.lowerBound)
                end = max(end, columns.upperBound)
            }
        }
        return first < end ? first..<end : 0..<0
    }
}

extension Tensor {
    /// Some of the elements, in the order of memory.
    @_noAllocation @_noLocks
    fileprivate func samples(_ range: Range<Int>) -> Tensor {
        reshaped(rows: count, columns: 1).rows(range)
    }
}
