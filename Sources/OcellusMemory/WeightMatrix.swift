// SPDX-License-Identifier: Apache-2.0

/// The element types of weights that the kernels compute with.
///
/// The raw value is ggml's type number (`ggml.h`, `enum ggml_type`).
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

    /// All types, in words.
    package static let list =
        "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K and Q6_K"

    /// The count of elements in one block; a row is a whole number of blocks.
    public var blockElementCount: Int {
        switch self {
        case .f32, .f16, .bf16: 1
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: 32
        case .q4_k, .q5_k, .q6_k: 256
        }
    }

    /// The size of one block in bytes.
    public var blockByteCount: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .q4_0: 18
        case .q4_1: 20
        case .q5_0: 22
        case .q5_1: 24
        case .q8_0: 34
        case .q4_k: 144
        case .q5_k: 176
        case .q6_k: 210
        }
    }

    /// The name in ggml's spelling.
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
        }
    }
}

/// A read-only matrix of weights where it lies in the mapped model file.
///
/// Row-major: one row holds the weights of one output. A view, valid as long as the mapping; there
/// is no alignment guarantee beyond that of the file (32 bytes for a tensor's start).
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

    /// The size of one row in bytes.
    public var rowByteCount: Int { columns / type.blockElementCount * type.blockByteCount }

    /// The size of all rows in bytes.
    public var byteCount: Int { rows * rowByteCount }

    /// Some of the rows, as a view of the same weights.
    public func rows(_ range: Range<Int>) -> WeightMatrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
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
