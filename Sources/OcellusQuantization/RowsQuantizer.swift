// SPDX-License-Identifier: Apache-2.0
import OcellusKernels
import OcellusMemory

/// Rounds some rows of a matrix, row by row on several threads, and measures the error.
///
/// The memory is that of one portion of rows, and is freed with the object.
package final class RowsQuantizer: @unchecked Sendable {
    /// A weight that cannot be rounded.
    package struct Fault {
        package var row: Int
        package var column: Int
        package var value: Float
    }

    private let rows: WeightMatrix
    private let type: WeightType
    private let importance: [Float]?
    private let rowByteCount: Int
    /// The blocks of all rows.
    package let bytes: UnsafeMutableRawBufferPointer
    // One element per row, so that threads share nothing.
    private let sums: UnsafeMutableBufferPointer<QuantizationErrorSums>
    private let faults: UnsafeMutableBufferPointer<Fault?>

    /// Reserves the memory; the rows must stay where they are while it runs.
    package init(rows: WeightMatrix, type: WeightType, importance: [Float]? = nil) {
        self.rows = rows
        self.type = type
        self.importance = importance
        rowByteCount = rows.columns / type.blockElementCount * type.blockByteCount
        bytes = .allocate(byteCount: rows.rows * rowByteCount, alignment: 16)
        sums = .allocate(capacity: rows.rows)
        sums.initialize(repeating: QuantizationErrorSums())
        faults = .allocate(capacity: rows.rows)
        faults.initialize(repeating: nil)
    }

    deinit {
        bytes.deallocate()
        sums.deallocate()
        faults.deallocate()
    }

    /// The errors of all rows, summed in their order.
    package var errors: QuantizationErrorSums {
        sums.reduce(into: QuantizationErrorSums()) { $0.add($1) }
    }

    /// The first weight that cannot be rounded.
    package var fault: Fault? { faults.lazy.compactMap { $0 }.first }

    /// Rounds all rows.
    package func run(threadCount: Int) {
        sharing(among: threadCount) { thread in
            let columns = rows.columns
            let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: 2 * columns)
            defer { buffer.deallocate() }
            guard let base = buffer.baseAddress else { return }
            let values = unsafe Tensor(rows: 1, columns: columns, base: base)
            let rounded = unsafe Tensor(rows: 1, columns: columns, base: base + columns)
            for row in stride(from: thread, to: rows.rows, by: threadCount) {
                dequantizeRow(rows, row: row, into: values)
                quantize(row, UnsafeBufferPointer(start: base, count: columns), rounded)
            }
        }
    }

    private func quantize(_ row: Int, _ values: UnsafeBufferPointer<Float>, _ rounded: Tensor) {
        let limit = Blocks.greatestMagnitude(of: type)
        for column in values.indices where !(abs(values[column]) <= limit) {
            faults[row] = Fault(row: row, column: column, value: values[column])
            return
        }
        guard let out = bytes.baseAddress?.advanced(by: row * rowByteCount) else { return }
        if let importance {
            importance.withUnsafeBufferPointer {
                Blocks.write(values, importance: $0, as: type, to: out)
            }
        } else {
            Blocks.write(values, importance: nil, as: type, to: out)
        }
        let blocks = unsafe WeightMatrix(type: type, rows: 1, columns: values.count, base: out)
        dequantizeRow(blocks, row: 0, into: rounded)
        for column in values.indices {
            sums[row].add(
                values[column],
                rounded[0, column],
                importance: importance?[column] ?? 1
            )
        }
    }
}
