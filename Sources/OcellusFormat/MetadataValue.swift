// SPDX-License-Identifier: Apache-2.0

/// A value of metadata to be written.
public enum MetadataValue: Sendable {
    case uint8(UInt8)
    case int8(Int8)
    case uint16(UInt16)
    case int16(Int16)
    case uint32(UInt32)
    case int32(Int32)
    case float32(Float)
    case bool(Bool)
    case string(String)
    case uint64(UInt64)
    case int64(Int64)
    case float64(Double)
    case uint32s([UInt32])
    case int32s([Int32])
    case float32s([Float])
    case bools([Bool])
    case strings([String])
    /// A value of another file, as it lies there: an array if there is a count of elements.
    case stored(MetadataType, elementCount: Int?, bytes: [UInt8])

    /// The type of the value; of the elements if it is an array.
    var type: MetadataType {
        switch self {
        case .uint8: .uint8
        case .int8: .int8
        case .uint16: .uint16
        case .int16: .int16
        case .uint32, .uint32s: .uint32
        case .int32, .int32s: .int32
        case .float32, .float32s: .float32
        case .bool, .bools: .bool
        case .string, .strings: .string
        case .uint64: .uint64
        case .int64: .int64
        case .float64: .float64
        case .stored(let type, _, _): type
        }
    }

    /// The count of elements if it is an array, otherwise nil.
    var elementCount: Int? {
        switch self {
        case .uint32s(let values): values.count
        case .int32s(let values): values.count
        case .float32s(let values): values.count
        case .bools(let values): values.count
        case .strings(let values): values.count
        case .stored(_, let elementCount, _): elementCount
        default: nil
        }
    }

    /// Appends type and value as GGUF stores them.
    func append(to bytes: inout [UInt8]) {
        if let elementCount {
            bytes.appendInteger(MetadataType.array.rawValue)
            bytes.appendInteger(type.rawValue)
            bytes.appendInteger(UInt64(elementCount))
        } else {
            bytes.appendInteger(type.rawValue)
        }
        switch self {
        case .uint8(let value): bytes.appendInteger(value)
        case .int8(let value): bytes.appendInteger(value)
        case .uint16(let value): bytes.appendInteger(value)
        case .int16(let value): bytes.appendInteger(value)
        case .uint32(let value): bytes.appendInteger(value)
        case .int32(let value): bytes.appendInteger(value)
        case .float32(let value): bytes.appendInteger(value.bitPattern)
        case .bool(let value): bytes.append(value ? 1 : 0)
        case .string(let value): bytes.appendString(value)
        case .uint64(let value): bytes.appendInteger(value)
        case .int64(let value): bytes.appendInteger(value)
        case .float64(let value): bytes.appendInteger(value.bitPattern)
        case .uint32s(let values): for value in values { bytes.appendInteger(value) }
        case .int32s(let values): for value in values { bytes.appendInteger(value) }
        case .float32s(let values): for value in values { bytes.appendInteger(value.bitPattern) }
        case .bools(let values): for value in values { bytes.append(value ? 1 : 0) }
        case .strings(let values): for value in values { bytes.appendString(value) }
        case .stored(_, _, let value): bytes += value
        }
    }
}

extension [UInt8] {
    /// Appends an integer, little-endian.
    mutating func appendInteger(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Appends a string as GGUF stores it: u64 length, then UTF-8.
    mutating func appendString(_ text: String) {
        appendInteger(UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}
