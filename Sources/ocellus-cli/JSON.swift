// SPDX-License-Identifier: Apache-2.0

/// A JSON value, written on one line.
///
/// Embedded Swift has no Codable.
enum JSON {
    case null
    case bool(Bool)
    case int(Int)
    case number(Double, digits: Int)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    /// The text of the value (RFC 8259).
    var text: String {
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return String(value)
        // JSON has no infinity.
        case .number(let value, let digits):
            return value.isFinite ? decimal(value, digits) : "null"
        case .string(let value): return JSON.quoted(value)
        case .array(let values):
            var parts: [String] = []
            for value in values { parts.append(value.text) }
            return "[" + parts.joined(separator: ",") + "]"
        case .object(let members):
            var parts: [String] = []
            for (name, value) in members { parts.append(JSON.quoted(name) + ":" + value.text) }
            return "{" + parts.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        let digits = Array("0123456789abcdef".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += Array("\\n".utf8)
            case UInt8(ascii: "\t"): bytes += Array("\\t".utf8)
            case 0..<0x20, 0x7F:
                bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }
}
