// SPDX-License-Identifier: Apache-2.0
public import OcellusMemory

/// A type of tensor elements that a file may have, whether or not the kernels compute with it.
///
/// The numbers, names and block sizes are ggml's (`ggml.h`, `enum ggml_type`), but for those of
/// our own types (`WeightType`).
public struct TensorType: Sendable, Equatable {
    /// The number of the type in a file.
    public let number: UInt32
    /// The name of the type.
    public let name: String
    /// The count of elements in one block; a row is a whole number of blocks.
    public let blockElementCount: Int
    /// The size of one block in bytes.
    public let blockByteCount: Int

    /// The same type as the kernels know it.
    public init(_ type: WeightType) {
        number = type.rawValue
        name = type.name
        blockElementCount = type.blockElementCount
        blockByteCount = type.blockByteCount
    }

    /// The type with a number, or nil if there is none or it was removed from ggml.
    public init?(number: UInt32) {
        let (name, elements, bytes): (String, Int, Int)
        switch number {
        case 9: (name, elements, bytes) = ("Q8_1", 32, 40)
        case 10: (name, elements, bytes) = ("Q2_K", 256, 84)
        case 11: (name, elements, bytes) = ("Q3_K", 256, 110)
        case 15: (name, elements, bytes) = ("Q8_K", 256, 292)
        case 16: (name, elements, bytes) = ("IQ2_XXS", 256, 66)
        case 17: (name, elements, bytes) = ("IQ2_XS", 256, 74)
        case 18: (name, elements, bytes) = ("IQ3_XXS", 256, 98)
        case 19: (name, elements, bytes) = ("IQ1_S", 256, 50)
        case 20: (name, elements, bytes) = ("IQ4_NL", 32, 18)
        case 21: (name, elements, bytes) = ("IQ3_S", 256, 110)
        case 22: (name, elements, bytes) = ("IQ2_S", 256, 82)
        case 23: (name, elements, bytes) = ("IQ4_XS", 256, 136)
        case 24: (name, elements, bytes) = ("I8", 1, 1)
        case 25: (name, elements, bytes) = ("I16", 1, 2)
        case 26: (name, elements, bytes) = ("I32", 1, 4)
        case 27: (name, elements, bytes) = ("I64", 1, 8)
        case 28: (name, elements, bytes) = ("F64", 1, 8)
        case 29: (name, elements, bytes) = ("IQ1_M", 256, 56)
        case 34: (name, elements, bytes) = ("TQ1_0", 256, 54)
        case 35: (name, elements, bytes) = ("TQ2_0", 256, 66)
        case 39: (name, elements, bytes) = ("MXFP4", 32, 17)
        case 40: (name, elements, bytes) = ("NVFP4", 64, 36)
        case 41: (name, elements, bytes) = ("Q1_0", 128, 18)
        default:
            guard let type = WeightType(rawValue: number) else { return nil }
            (name, elements, bytes) = (type.name, type.blockElementCount, type.blockByteCount)
        }
        self.number = number
        self.name = name
        blockElementCount = elements
        blockByteCount = bytes
    }

    /// The same type as the kernels know it, or nil if they do not compute with it.
    public var weightType: WeightType? { WeightType(rawValue: number) }

    /// The size in bytes of a tensor of this type, or nil if there is no such tensor.
    ///
    /// There is none if a dimension is below 1, the first is not a whole number of blocks, there
    /// are more than four, or the size does not fit an `Int`.
    public func byteCount(shape: [Int]) -> Int? {
        guard shape.count <= 4 else { return nil }
        let first = shape.first ?? 1
        guard first >= 1, first % blockElementCount == 0 else { return nil }
        var (count, overflow) = (first / blockElementCount)
            .multipliedReportingOverflow(by: blockByteCount)
        var elementCount = first
        for dimension in shape.dropFirst() {
            guard dimension >= 1 else { return nil }
            let (nextCount, byteOverflow) = count.multipliedReportingOverflow(by: dimension)
            let (nextElementCount, elementOverflow) = elementCount.multipliedReportingOverflow(
                by: dimension
            )
            overflow = overflow || byteOverflow || elementOverflow
            (count, elementCount) = (nextCount, nextElementCount)
        }
        return overflow ? nil : count
    }
}
