// SPDX-License-Identifier: Apache-2.0
import CKernels
import OcellusFormat

/// The mean squares of what the matrices of a running model are multiplied with.
///
/// An error in a column of a matrix costs as much as the inputs that meet it are large: these means are
/// the importance that `ModelQuantizer` takes.
///
///     let statistics = InputStatistics()
///     try statistics.record { try session.see(frame) }
///     let importance = statistics.importance(in: session.model.decoderFile)
///
/// It looks at the products that its thread asks for, one object at a time.
public final class InputStatistics {
    private struct Sums {
        var squares: [Double]
        var rowCount = 0
    }

    /// Inputs that samples happen not to have may come later: they count as this share of the mean.
    private static let floor = 0.01

    /// By the address of the first weight.
    private var sums: [UInt: Sums] = [:]

    /// No product yet.
    public init() {}

    /// Runs a body, and looks at all products meanwhile.
    public func record<Result>(_ body: () throws -> Result) rethrows -> Result {
        ck_observe_matmul(
            { context, arguments in
                guard let context, let arguments else { return }
                Unmanaged<InputStatistics>.fromOpaque(context).takeUnretainedValue()
                    .add(arguments.pointee)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
        defer { ck_observe_matmul(nil, nil) }
        return try body()
    }

    /// The importance of the columns of each matrix of a file that was multiplied with something.
    ///
    /// - Parameter file: The file whose mapping the model has used.
    /// - Returns: By the name of the tensor, one number per column, relative to their mean.
    public func importance(in file: borrowing ModelFile) -> [String: [Float]] {
        var result: [String: [Float]] = [:]
        for tensor in file.tensors {
            let range = file.withBytes(of: tensor) { bytes in
                let start = UInt(bitPattern: bytes.baseAddress)
                return start..<start + UInt(bytes.count)
            }
            // A model may multiply with some rows of a matrix.
            let parts = sums.filter {
                range.contains($0.key) && $0.value.squares.count == tensor.shape.first
            }
            let rowCount = parts.values.map(\.rowCount).reduce(0, +)
            guard rowCount > 0 else { continue }
            let columns = 0..<(tensor.shape.first ?? 0)
            let means = columns.map { column in
                parts.values.map { $0.squares[column] }.reduce(0, +) / Double(rowCount)
            }
            let mean = means.reduce(0, +) / Double(columns.count)
            guard mean > 0, mean.isFinite else { continue }
            result[tensor.name] = means.map { Float($0 / mean + Self.floor) }
        }
        return result
    }

    private func add(_ arguments: ck_matmul_args) {
        guard let data = arguments.x.data else { return }
        let (rows, columns) = (arguments.x.rows, arguments.x.columns)
        let key = UInt(bitPattern: arguments.w.data)
        var entry = sums[key] ?? Sums(squares: [Double](repeating: 0, count: columns))
        sums[key] = nil  // so that the array has one owner, and is changed in place
        for row in 0..<rows {
            for column in 0..<columns {
                let value = Double(data[row * columns + column])
                entry.squares[column] += value * value
            }
        }
        entry.rowCount += rows
        sums[key] = entry
    }
}
