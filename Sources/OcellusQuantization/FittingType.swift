// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// The type that a tensor gets where it cannot have the one that was asked for, and why.
public struct FittingType {
    /// The type.
    public let type: WeightType
    /// Why it is another one than asked for, or nil.
    public let reason: String?

    /// A type that was chosen elsewhere.
    public init(_ type: WeightType, reason: String? = nil) {
        self.type = type
        self.reason = reason
    }

    /// The type for rows of some length: they are whole blocks.
    ///
    /// - Parameters:
    ///   - type: What was asked for.
    ///   - columns: The length of a row.
    ///   - original: The type that the rows have; one of sixteen bits stays if there are no blocks.
    public init(_ type: WeightType, columns: Int, original: WeightType) {
        if columns % type.blockElementCount == 0 {
            self.init(type)
        } else if columns % 32 == 0 {
            // Of the types with smaller blocks, the one that is nearest in precision.
            self.init(
                type == .q4_k ? .q5_0 : .q8_0,
                reason: "rows of \(columns) are no multiple of 256"
            )
        } else {
            self.init(
                original == .f32 ? .f16 : original,
                reason: "rows of \(columns) are no multiple of 32"
            )
        }
    }
}

extension WeightType {
    /// llama.cpp's number for "mostly of this type" (`llama.h`, `enum llama_ftype`).
    package var fileType: UInt32 {
        switch plain {
        case .f32: 0
        case .f16: 1
        case .q4_0, .q4_0x16: 2
        case .q4_1: 3
        case .q8_0, .q8_0x16, .q8_row: 7
        case .q5_0: 8
        case .q5_1: 9
        case .q4_k: 14
        case .q5_k: 16
        case .q6_k: 18
        case .bf16: 32
        }
    }
}
