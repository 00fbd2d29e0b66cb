// SPDX-License-Identifier: Apache-2.0

extension JSON {
    /// Reads a text of one value (RFC 8259); nil if it is none, or nested deeper than 16.
    ///
    /// Escapes in strings other than of quotation mark, backslash and slash are not read: what
    /// `text` writes for names of files.
    init?(parsing text: String) {
        var parser = Parser(bytes: Array(text.utf8))
        guard let value = parser.value(depth: 0) else { return nil }
        parser.skipSpace()
        guard parser.isAtEnd else { return nil }
        self = value
    }

    /// The member of an object with a name.
    subscript(_ name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.0 == name }?.1
    }

    /// The value of a number.
    var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .number(let value, _): value
        default: nil
        }
    }

    private struct Parser {
        let bytes: [UInt8]
        var offset = 0

        var isAtEnd: Bool { offset == bytes.count }
        private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

        mutating func skipSpace() {
            while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { offset += 1 }
        }

        private mutating func take(_ text: String) -> Bool {
            skipSpace()
            let wanted = Array(text.utf8)
            guard bytes.count - offset >= wanted.count,
                Array(bytes[offset..<offset + wanted.count]) == wanted
            else { return false }
            offset += wanted.count
            return true
        }

        mutating func value(depth: Int) -> JSON? {
            guard depth < 16 else { return nil }
            skipSpace()
            if take("null") { return .null }
            if take("true") { return .bool(true) }
            if take("false") { return .bool(false) }
            if take("[") { return array(depth: depth) }
            if take("{") { return object(depth: depth) }
            if next == UInt8(ascii: "\"") { return string().map { .string($0) } }
            return number()
        }

        private mutating func array(depth: Int) -> JSON? {
            var values: [JSON] = []
            if take("]") { return .array(values) }
            while let value = value(depth: depth + 1) {
                values.append(value)
                if take("]") { return .array(values) }
                guard take(",") else { return nil }
            }
            return nil
        }

        private mutating func object(depth: Int) -> JSON? {
            var members: [(String, JSON)] = []
            if take("}") { return .object(members) }
            while true {
                skipSpace()
                guard let name = string(), take(":"), let value = value(depth: depth + 1) else {
                    return nil
                }
                members.append((name, value))
                if take("}") { return .object(members) }
                guard take(",") else { return nil }
            }
        }

        private mutating func string() -> String? {
            guard next == UInt8(ascii: "\"") else { return nil }
            offset += 1
            var content: [UInt8] = []
            while let byte = next {
                offset += 1
                if byte == UInt8(ascii: "\"") { return String(decoding: content, as: UTF8.self) }
                guard byte == UInt8(ascii: "\\") else {
                    content.append(byte)
                    continue
                }
                guard let escaped = next, Array("\"\\/".utf8).contains(escaped) else { return nil }
                content.append(escaped)
                offset += 1
            }
            return nil
        }

        private mutating func number() -> JSON? {
            let start = offset
            while let byte = next, Array("+-.0123456789eE".utf8).contains(byte) { offset += 1 }
            let text = String(decoding: bytes[start..<offset], as: UTF8.self)
            if let value = Int(text) { return .int(value) }
            return Double(text).map { .number($0, digits: 6) }
        }
    }
}
