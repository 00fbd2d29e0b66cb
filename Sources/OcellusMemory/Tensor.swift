// SPDX-License-Identifier: Apache-2.0

/// A matrix of `Float` in an arena: a view, row-major, each row contiguous.
///
/// A view does not own its memory: it is valid as long as the arena that it came from, which is why
/// a session owns its arena and hands out no views. Copies see the same elements.
@safe
public struct Tensor {
    /// The count of rows (tokens, pixels or channels).
    public let rows: Int
    /// The count of columns; one row is contiguous.
    public let columns: Int
    /// The first element, for kernels.
    public let base: UnsafeMutablePointer<Float>

    /// A view of memory that the caller keeps alive.
    @inlinable
    @unsafe
    public init(rows: Int, columns: Int, base: UnsafeMutablePointer<Float>) {
        self.rows = rows
        self.columns = columns
        unsafe self.base = base
    }

    /// The count of elements.
    @inlinable
    public var count: Int { rows * columns }

    /// The element at a row and a column.
    @inlinable
    public subscript(_ row: Int, _ column: Int) -> Float {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            return unsafe base[row * columns + column]  // Safety: checked above.
        }
        nonmutating set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            unsafe base[row * columns + column] = newValue  // Safety: checked above.
        }
    }

    /// Some of the rows, as a view of the same elements.
    @inlinable
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        // Safety: the range was checked.
        return unsafe Tensor(
            rows: range.count,
            columns: columns,
            base: base + range.lowerBound * columns
        )
    }

    /// The first rows, as a view of the same elements.
    @inlinable
    public func prefix(rows count: Int) -> Tensor {
        rows(0..<count)
    }

    /// The same elements in another shape of at most as many.
    @inlinable
    public func reshaped(rows: Int, columns: Int) -> Tensor {
        precondition(rows >= 0 && columns >= 0 && rows * columns <= count)
        return unsafe Tensor(rows: rows, columns: columns, base: base)  // Safety: not larger.
    }

    /// Sets each element to a value.
    @_noAllocation @_noLocks
    public func fill(_ value: Float) {
        unsafe base.update(repeating: value, count: count)  // Safety: count elements are ours.
    }

    /// Copies all elements of a tensor of the same count.
    @_noAllocation @_noLocks
    public func copy(from source: Tensor) {
        precondition(source.count == count)
        // Safety: equal counts. As bytes: the compiler cannot see that `update` never allocates.
        unsafe UnsafeMutableRawPointer(base).copyMemory(
            from: source.base,
            byteCount: count * MemoryLayout<Float>.stride
        )
    }

    /// Copies a tensor of as many rows into some of the columns.
    @_noAllocation @_noLocks
    public func copyColumns(from source: Tensor, at firstColumn: Int) {
        precondition(source.rows == rows)
        precondition(firstColumn >= 0 && firstColumn + source.columns <= columns)
        for row in 0..<rows {
            // Safety: the columns of each row were checked.
            unsafe UnsafeMutableRawPointer(base + row * columns + firstColumn).copyMemory(
                from: source.base + row * source.columns,
                byteCount: source.columns * MemoryLayout<Float>.stride
            )
        }
    }

    /// Copies as many columns as this has out of a tensor of as many rows.
    @_noAllocation @_noLocks
    public func copy(columnsFrom firstColumn: Int, of source: Tensor) {
        precondition(source.rows == rows)
        precondition(firstColumn >= 0 && firstColumn + columns <= source.columns)
        for row in 0..<rows {
            // Safety: the columns of each row were checked.
            unsafe UnsafeMutableRawPointer(base + row * columns).copyMemory(
                from: source.base + row * source.columns + firstColumn,
                byteCount: columns * MemoryLayout<Float>.stride
            )
        }
    }
}
