// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Which cells of a grid are computed: in each row one run of columns, or none.
///
/// The cells are the rows of a tensor, one behind the other, from top to bottom. A view of bytes in an
/// arena.
@safe
public struct CellSpans {
    /// The count of rows of the grid.
    public let height: Int
    /// The count of columns of the grid.
    public let width: Int
    let base: UnsafeMutablePointer<ck_span>

    /// The size of the spans of so many rows.
    public static func byteCount(height: Int) -> Int {
        height * MemoryLayout<ck_span>.stride
    }

    /// A view of bytes, as an arena gives them.
    public init(_ bytes: Bytes, height: Int, width: Int) {
        precondition(height > 0 && width > 0 && bytes.count >= Self.byteCount(height: height))
        self.height = height
        self.width = width
        // Safety: as many spans as the size was checked for; an arena's bytes are aligned.
        unsafe base = bytes.base.assumingMemoryBound(to: ck_span.self)
    }

    /// The run of a row.
    @_noAllocation @_noLocks
    public subscript(row: Int) -> Range<Int> {
        precondition(row >= 0 && row < height)
        // Safety: checked.
        let span = unsafe base[row]
        return span.first..<span.end
    }

    /// The count of cells.
    public var count: Int {
        // Safety: the last of the rows.
        let last = unsafe base[height - 1]
        return last.offset + last.end - last.first
    }

    /// Whether there is no other cell in the grid.
    public var isWhole: Bool { count == height * width }

    /// Sets the run of a row; the rows above it are set before.
    @_noAllocation @_noLocks
    public func set(_ columns: Range<Int>, row: Int) {
        precondition(row >= 0 && row < height)
        precondition(columns.lowerBound >= 0 && columns.upperBound <= width)
        var offset = 0
        if row > 0 {
            // Safety: the row above.
            let above = unsafe base[row - 1]
            offset = above.offset + above.end - above.first
        }
        // Safety: checked.
        unsafe base[row] = ck_span(
            first: columns.lowerBound,
            end: columns.upperBound,
            offset: offset
        )
    }

    /// Covers the cells whose windows meet a changed cell of the convolution's input.
    ///
    /// Where it does not pay they are all cells: above three quarters, since cells that are not all are put
    /// into their places afterwards. So few that their products would be summed in another order are all, too.
    @_noAllocation @_noLocks
    public func cover(_ changed: CellSpans, seenBy geometry: ConvolutionGeometry) {
        precondition(
            changed.height == geometry.inputHeight && changed.width == geometry.inputWidth
                && height == geometry.outputHeight && width == geometry.outputWidth
        )
        for row in 0..<height {
            let top = row * geometry.stride - geometry.padTop
            var (first, end) = (changed.width, 0)
            for y in max(top, 0)..<max(top + geometry.kernel, 0) where y < changed.height {
                let run = changed[y]
                if run.isEmpty { continue }
                first = min(first, run.lowerBound)
                end = max(end, run.upperBound)
            }
            // Window x has the columns from x * stride - padLeft, as many as the kernel.
            let least = max(first + geometry.padLeft - geometry.kernel + geometry.stride, 0)
            let from = min(least / geometry.stride, width)
            let to = min((end - 1 + geometry.padLeft) / geometry.stride + 1, width)
            set(first < end && from < to ? from..<to : 0..<0, row: row)
        }
        let found = count
        if 1...ck_matmul_few_tokens() ~= found || 4 * found > 3 * height * width {
            for row in 0..<height { set(0..<width, row: row) }
        }
    }

    /// Puts the cells into their places.
    ///
    /// - Shapes: cells (count, channels); map (height * width, channels).
    @_noAllocation @_noLocks
    public func scatter(_ cells: Tensor, into map: Tensor) {
        precondition(cells.rows == count && map.rows == height * width)
        for row in 0..<height {
            placed(row, of: map).copy(from: computed(row, of: cells))
        }
    }

    /// Adds the same cells of a map.
    ///
    /// - Shapes: map (height * width, channels); cells (count, channels).
    @_noAllocation @_noLocks
    public func add(_ map: Tensor, into cells: Tensor, on pool: borrowing ThreadPool) {
        precondition(cells.rows == count && map.rows == height * width)
        for row in 0..<height {
            OcellusKernels.add(placed(row, of: map), into: computed(row, of: cells), on: pool)
        }
    }

    /// A row's cells among the computed ones.
    @_noAllocation @_noLocks
    private func computed(_ row: Int, of cells: Tensor) -> Tensor {
        let offset = unsafe base[row].offset  // Safety: the callers pass rows of the grid.
        return cells.rows(offset..<offset + self[row].count)
    }

    /// A row's cells among all.
    @_noAllocation @_noLocks
    private func placed(_ row: Int, of map: Tensor) -> Tensor {
        let run = self[row]
        return map.rows(row * width + run.lowerBound..<row * width + run.upperBound)
    }
}
