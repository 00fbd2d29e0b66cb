// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// Reads JSON (RFC 8259) from untrusted bytes.
///
/// Its memory is bounded by the size of the text, its recursion by `maximumDepth`; an object with a key
/// twice is refused, since readers differ in which of the two they take.
public struct JSONReader {
    private static let maximumDepth = 64

    private let path: String
    private let bytes: UnsafeRawBufferPointer
    /// Where the text begins in the file, for messages.
    private let start: Int
    private var position = 0
    private var depth = 0

    /// Reads a file.
    ///
    /// - Throws: `ConversionError.damaged` and `.unsupported`, and `ModelFileError.cannotOpen`.
    public static func read(path: String) throws -> JSONValue {
        let file = try MappedFile(path: path)
        try StandIn.refuse(file)
        return try withExtendedLifetime(file) {
            guard ![[0xFE, 0xFF], [0xFF, 0xFE]].contains(where: file.bytes.starts(with:)) else {
                throw ConversionError.damaged(path: path, what: "the text is UTF-16, not UTF-8")
            }
            // Editors may put a mark before the text, which the format lets readers pass over.
            let mark = file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
            let text = UnsafeRawBufferPointer(rebasing: file.bytes[mark...])
            return try read(text, path: path, start: mark)
        }
    }

    /// Reads a text that the caller keeps alive.
    ///
    /// - Parameters:
    ///   - bytes: The text, white space around it allowed.
    ///   - path: The file, for messages.
    ///   - start: Where the text begins in the file.
    /// - Returns: The value.
    /// - Throws: `ConversionError.damaged`.
    static func read(
        _ bytes: UnsafeRawBufferPointer,
        path: String,
        start: Int = 0
    ) throws(ConversionError) -> JSONValue {
        var reader = JSONReader(path: path, bytes: bytes, start: start)
        reader.skipSpace()
        guard reader.next != nil else { throw reader.fault("there is no text") }
        let value = try reader.value()
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.fault("text after the JSON") }
        return value
    }

    private init(path: String, bytes: UnsafeRawBufferPointer, start: Int) {
        self.path = path
        self.bytes = bytes
        self.start = start
    }

    private func fault(_ what: String) -> ConversionError {
        .damaged(path: path, what: "not valid JSON: \(what)", offset: start + position)
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
    }

    /// Passes a character, after white space.
    private mutating func expect(_ character: Unicode.Scalar) throws(ConversionError) {
        guard take(character) else { throw fault("'\(character)' is missing") }
    }

    /// Passes a character if it is the next after white space.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(ConversionError) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"):
            return try nested { reader throws(ConversionError) in
                try reader.object()
            }
        case UInt8(ascii: "["):
            return try nested { reader throws(ConversionError) in
                try reader.array()
            }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        // Python's json writes these, though they are not JSON.
        case UInt8(ascii: "I"): return try word("Infinity", .number(.infinity))
        case UInt8(ascii: "N"): return try word("NaN", .number(.nan))
        default: return try number()
        }
    }

    private mutating func nested(
        _ body: (inout JSONReader) throws(ConversionError) -> JSONValue
    ) throws(ConversionError) -> JSONValue {
        guard depth < Self.maximumDepth else { throw fault("more than 64 levels") }
        depth += 1
        defer { depth -= 1 }
        position += 1
        return try body(&self)
    }

    private mutating func object() throws(ConversionError) -> JSONValue {
        var members: [(key: String, value: JSONValue)] = []
        var keys: Set<[UInt8]> = []
        if take("}") { return .object([]) }
        repeat {
            skipSpace()
            let key = try string()
            guard keys.insert(Array(key.utf8)).inserted else {
                throw fault("the key '\(key)' is there twice")
            }
            try expect(":")
            members.append((key, try value()))
        } while take(",")
        try expect("}")
        return .object(members)
    }

    private mutating func array() throws(ConversionError) -> JSONValue {
        var values: [JSONValue] = []
        if take("]") { return .array([]) }
        repeat { values.append(try value()) } while take(",")
        try expect("]")
        return .array(values)
    }

    private mutating func word(
        _ text: StaticString,
        _ value: JSONValue
    ) throws(ConversionError) -> JSONValue {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count,
            bytes[position..<position + count].elementsEqual(
                UnsafeRawBufferPointer(start: text.utf8Start, count: count)
            )
        else { throw fault("an unknown word") }
        position += count
        return value
    }

    private mutating func number() throws(ConversionError) -> JSONValue {
        let first = position
        while let byte = next, "+-.eE0123456789Infity".utf8.contains(byte) { position += 1 }
        let text = String(decoding: bytes[first..<position], as: UTF8.self)
        if text == "-Infinity" { return .number(-.infinity) }
        guard position > first, let value = Double(text) else {
            position = first
            throw fault("no value")
        }
        return .number(value)
    }

    private mutating func string() throws(ConversionError) -> String {
        guard next == UInt8(ascii: "\"") else { throw fault("no string") }
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw fault("a string that is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"):
                try escape(into: &text)
            case 0..<0x20:
                throw fault("a control character in a string")
            default:
                text.append(byte)
            }
        }
        throw fault("a string without an end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(ConversionError) {
        guard let byte = next else { throw fault("a string without an end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if 0xD800..<0xDC00 ~= code, next == UInt8(ascii: "\\") {
                position += 2
                let low = try hexadecimal()
                guard 0xDC00..<0xE000 ~= low else { throw fault("half of a character") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            // A surrogate on its own is no character: U+FFFD, as in ill-formed UTF-8.
            text.append(contentsOf: String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
        default:
            throw fault("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(ConversionError) -> UInt32 {
        guard bytes.count - position >= 4,
            let code = UInt32(
                String(decoding: bytes[position..<position + 4], as: UTF8.self),
                radix: 16
            )
        else { throw fault("an escape without four digits") }
        position += 4
        return code
    }
}
