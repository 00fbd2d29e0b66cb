// SPDX-License-Identifier: Apache-2.0

/// Reads the fields of a Protocol Buffers message from untrusted bytes.
///
/// - Source: protobuf.dev, "Encoding".
struct ProtobufReader {
    /// A field's content as it is encoded.
    enum Content {
        case integer(UInt64)
        case fixed32(UInt32)
        case bytes(Slice<UnsafeRawBufferPointer>)
    }

    private let path: String
    private let bytes: Slice<UnsafeRawBufferPointer>
    private var position: Int

    /// Reads a message that the caller keeps alive.
    init(_ bytes: Slice<UnsafeRawBufferPointer>, path: String) {
        self.path = path
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The next field and its number, or nil at the end.
    ///
    /// - Throws: `ConversionError.damaged`.
    mutating func next() throws(ConversionError) -> (number: UInt64, content: Content)? {
        guard position < bytes.endIndex else { return nil }
        let tag = try integer()
        switch tag & 7 {
        case 0: return (tag >> 3, .integer(try integer()))
        case 1:
            _ = try take(8)
            return (tag >> 3, .integer(0))  // fixed64: no field that is read has it
        case 2: return (tag >> 3, .bytes(try take(Int(clamping: try integer()))))
        case 5:
            let value = try take(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return (tag >> 3, .fixed32(value))
        default: throw damaged("an unknown wire type")
        }
    }

    private mutating func integer() throws(ConversionError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < bytes.endIndex else { throw damaged("a number without an end") }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw damaged("a number of more than 64 bits")
    }

    private mutating func take(_ count: Int) throws(ConversionError) -> Slice<
        UnsafeRawBufferPointer
    > {
        guard count <= bytes.endIndex - position else { throw damaged("a field without an end") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    private func damaged(_ what: String) -> ConversionError {
        .damaged(path: path, what: "no SentencePiece model: \(what)", offset: position)
    }
}
