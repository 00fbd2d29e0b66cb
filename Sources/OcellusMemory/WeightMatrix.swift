// SPDX-License-Identifier: Apache-2.0

/// The element types of weights that the kernels compute with.
///
/// The raw value is ggml's type number (`ggml.h`, `enum ggml_type`). Our own types are numbered above
/// 0x4F43_0000 ("OC"), so that no other program takes them for ggml's.
///
/// A matrix of an interleaved type has its rows in groups of 16, packed for the kernels: of each
/// block of 32 columns first the 16 scales, then the first four bytes of each row, the next four,
/// and so on. Rows that fill no group lie behind the groups as in the plain type. The size is that
/// of the plain type.
///
/// Q8_row has the blocks of Q8_0, and all blocks of a row have one scale. The kernels then take one
/// scale for each token of many, too, and scale a sum of products once instead of for each block.
public enum WeightType: UInt32, Sendable {
    case f32 = 0
    case f16 = 1
    case q4_0 = 2
    case q4_1 = 3
    case q5_0 = 6
    case q5_1 = 7
    case q8_0 = 8
    case q4_k = 12
    case q5_k = 13
    case q6_k = 14
    case bf16 = 30
    case q4_0x16 = 0x4F43_0002
    case q8_0x16 = 0x4F43_0008
    case q8_row = 0x4F43_0108

    /// All types, in words.
    package static let list =
        "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, Q8_0x16, Q4_0x16 and "
        + "Q8_row"

    /// The count of rows in a group of an interleaved type.
    public static let groupRowCount = 16

    /// The type of the same blocks, row by row.
    public var plain: WeightType {
        switch self {
        case .q4_0x16: .q4_0
        case .q8_0x16: .q8_0
        default: self
        }
    }

    /// The type of the same blocks with rows interleaved, or nil if there is none.
    public var interleaved: WeightType? {
        switch plain {
        case .q4_0: .q4_0x16
        case .q8_0: .q8_0x16
        default: nil
        }
    }

    /// Whether rows are interleaved.
    public var isInterleaved: Bool { self != plain }

    /// Whether a matrix can be cut before a row.
    public func canBeCut(atRow row: Int) -> Bool {
        !isInterleaved || row % Self.groupRowCount == 0
    }

    /// The count of elements in one block; a row is a whole number of blocks.
    public var blockElementCount: Int {
        switch self {
        case .f32, .f16, .bf16: 1
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_0x16, .q8_0x16, .q8_row: 32
        case .q4_k, .q5_k, .q6_k: 256
        }
    }

    /// The size of one block in bytes.
    public var blockByteCount: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .q4_0, .q4_0x16: 18
        case .q4_1: 20
        case .q5_0: 22
        case .q5_1: 24
        case .q8_0, .q8_0x16, .q8_row: 34
        case .q4_k: 144
        case .q5_k: 176
        case .q6_k: 210
        }
    }

    /// The name in ggml's spelling, or that of our own type.
    public var name: String {
        switch self {
        case .f32: "F32"
        case .f16: "F16"
        case .bf16: "BF16"
        case .q4_0: "Q4_0"
        case .q4_1: "Q4_1"
        case .q5_0: "Q5_0"
        case .q5_1: "Q5_1"
        case .q8_0: "Q8_0"
        case .q4_k: "Q4_K"
        case .q5_k: "Q5_K"
        case .q6_k: "Q6_K"
        case .q4_0x16: "Q4_0x16"
        case .q8_0x16: "Q8_0x16"
        case .q8_row: "Q8_row"
        }
    }
}

/// A read-only matrix of weights where it lies in the mapped model file.
///
/// Row-major, one row holds the weights of one output; or in groups of rows, see `WeightType`. A
/// view, valid as long as the mapping; there is no alignment guarantee beyond that of the file (32 bytes for a tensor's start).
@safe
public struct WeightMatrix {
    /// The type of the elements.
    public let type: WeightType
    /// The count of rows: outputs.
    public let rows: Int
    /// The count of columns: inputs; a multiple of the type's block.
    public let columns: Int
    /// The first byte, for kernels.
    public let base: UnsafeRawPointer

    /// A view of bytes that the caller keeps alive and has checked to be long enough.
    @unsafe
    public init(type: WeightType, rows: Int, columns: Int, base: UnsafeRawPointer) {
        self.type = type
        self.rows = rows
        self.columns = columns
        unsafe self.base = base
    }

    /// The size of one row in bytes, or its share of its group's.
    public var rowByteCount: Int { columns / type.blockElementCount * type.blockByteCount }

    /// The size of all rows in bytes.
    public var byteCount: Int { rows * rowByteCount }

    /// Some of the rows, as a view of the same weights: whole groups, if they are interleaved.
    public func rows(_ range: Range<Int>) -> WeightMatrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        precondition(type.canBeCut(atRow: range.lowerBound))
        precondition(range.upperBound == rows || type.canBeCut(atRow: range.upperBound))
        // Safety: the range was checked.
        return unsafe WeightMatrix(
            type: type,
            rows: range.count,
            columns: columns,
            base: base + range.lowerBound * rowByteCount
        )
    }
}

/// A read-only vector of `Float` where it lies in the mapped model file: a norm or a bias.
@safe
public struct WeightVector {
    /// The count of elements.
    public let count: Int
    /// The first element, for kernels.
    public let base: UnsafePointer<Float>

    /// A view of elements that the caller keeps alive.
    @unsafe
    public init(count: Int, base: UnsafePointer<Float>) {
        self.count = count
        unsafe self.base = base
    }

    /// The element at an index.
    @inlinable
    public subscript(_ index: Int) -> Float {
        precondition(index >= 0 && index < count)
        return unsafe base[index]  // Safety: checked.
    }

    /// Some of the elements, as a view of the same weights.
    public func elements(_ range: Range<Int>) -> WeightVector {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        // Safety: the range was checked.
        return unsafe WeightVector(count: range.count, base: base + range.lowerBound)
    }
}
