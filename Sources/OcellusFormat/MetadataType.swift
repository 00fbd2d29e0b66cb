// SPDX-License-Identifier: Apache-2.0

/// The types of metadata values; the raw value is GGUF's type number.
public enum MetadataType: UInt32, Sendable {
    case uint8 = 0
    case int8 = 1
    case uint16 = 2
    case int16 = 3
    case uint32 = 4
    case int32 = 5
    case float32 = 6
    case bool = 7
    case string = 8
    case array = 9
    case uint64 = 10
    case int64 = 11
    case float64 = 12

    /// The size of a value in bytes; for strings and arrays the least that one takes.
    var minimumByteCount: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64, .string: 8
        case .array: 12
        }
    }

    /// Whether values are whole numbers.
    public var isInteger: Bool {
        switch self {
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: true
        case .float32, .float64, .bool, .string, .array: false
        }
    }

    /// The name as `ocellus-kit inspect` prints it.
    public var name: String {
        switch self {
        case .uint8: "u8"
        case .int8: "i8"
        case .uint16: "u16"
        case .int16: "i16"
        case .uint32: "u32"
        case .int32: "i32"
        case .float32: "f32"
        case .bool: "bool"
        case .string: "string"
        case .array: "array"
        case .uint64: "u64"
        case .int64: "i64"
        case .float64: "f64"
        }
    }
}

/// One key of a model file and where its value lies; the value is read when it is asked for.
public struct MetadataEntry: Sendable {
    /// The key, for example "mamba.block_count".
    public let key: String
    /// The type of the value; of the elements if it is an array.
    public let type: MetadataType
    /// The count of elements if it is an array, otherwise nil.
    public let elementCount: Int?
    /// Where the value begins in the file, after its type; for an array, its first element.
    public let offset: Int

    /// The type in words: "u32", "array of string".
    public var typeName: String {
        elementCount == nil ? type.name : "array of \(type.name)"
    }
}
