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
    @unsafe
    public init(rows: Int, columns: Int, base: UnsafeMutablePointer<Float>) {
        self.rows = rows
        self.columns = columns
        unsafe self.base = base
    }

    /// The count of elements.
    public var count: Int { rows * columns }

    /// The element at a row and a column.
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
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        // Safety: the range was checked.
        return unsafe Tensor(
            rows: range.count, columns: columns, base: base + range.lowerBound * columns)
    }

    /// The first rows, as a view of the same elements.
    public func prefix(rows count: Int) -> Tensor {
        rows(0..<count)
    }

    /// The same elements in another shape of at most as many.
    public func reshaped(rows: Int, columns: Int) -> Tensor {
        precondition(rows >= 0 && columns >= 0 && rows * columns <= count)
        return unsafe Tensor(rows: rows, columns: columns, base: base)  // Safety: not larger.
    }

    /// Sets each element to a value.
    public func fill(_ value: Float) {
        unsafe base.update(repeating: value, count: count)  // Safety: count elements are ours.
    }

    /// Copies all elements of a tensor of the same count.
    public func copy(from source: Tensor) {
        precondition(source.count == count)
        unsafe base.update(from: source.base, count: count)  // Safety: equal counts.
    }

    /// Copies a tensor of as many rows into some of the columns.
    public func copyColumns(from source: Tensor, at firstColumn: Int) {
        precondition(source.rows == rows)
        precondition(firstColumn >= 0 && firstColumn + source.columns <= columns)
        for row in 0..<rows {
            // Safety: the columns of each row were checked.
            unsafe (base + row * columns + firstColumn)
                .update(from: source.base + row * source.columns, count: source.columns)
        }
    }
}
