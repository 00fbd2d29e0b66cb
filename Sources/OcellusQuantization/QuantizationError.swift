// SPDX-License-Identifier: Apache-2.0

/// Why a model cannot be quantised.
public enum QuantizationError: Error, CustomStringConvertible {
    /// A matrix has a type with blocks already.
    case alreadyQuantized(path: String, tensor: String, type: String)
    /// No tensor is a matrix that could be quantised.
    case noMatrix(path: String)
    /// No tensor is a matrix whose rows could be interleaved.
    case nothingToPack(path: String)
    /// All matrices whose rows can be interleaved have them so.
    case alreadyPacked(path: String)
    /// No tensor has interleaved rows.
    case notPacked(path: String)
    /// A weight is infinite or not a number.
    case notFinite(path: String, tensor: String, row: Int, column: Int)
    /// A weight is beyond the range of the half precision that scales have.
    case beyondHalf(path: String, tensor: String, row: Int, column: Int, value: Float)

    /// One sentence with the file, the tensor, and what was found.
    public var description: String {
        switch self {
        case .alreadyQuantized(let path, let tensor, let type):
            "\(path): the tensor '\(tensor)' is \(type) already; rounding it a second time would add "
                + "to its error, so start from the F32, F16 or BF16 file; --pack works without --type"
        case .noMatrix(let path):
            "\(path): no tensor is a matrix in F32, or with rows of whole blocks, 32 weights each"
        case .nothingToPack(let path):
            "\(path): no matrix is in Q8_0 or Q4_0 with rows that can be interleaved; name a --type to "
                + "round to"
        case .alreadyPacked(let path):
            "\(path): packed already: the rows of all matrices that can be packed are interleaved"
        case .notPacked(let path):
            "\(path): not packed: no matrix has interleaved rows that could be brought back"
        case .notFinite(let path, let tensor, let row, let column):
            "\(path): the tensor '\(tensor)' has a weight that is not finite, in row \(row), "
                + "column \(column)"
        case .beyondHalf(let path, let tensor, let row, let column, let value):
            "\(path): the tensor '\(tensor)' has the weight \(value) in row \(row), column \(column), "
                + "which is beyond the range of half precision"
        }
    }
}
