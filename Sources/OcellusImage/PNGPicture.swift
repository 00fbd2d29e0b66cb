// SPDX-License-Identifier: Apache-2.0
import CSPNG
import OcellusMemory

/// PNG: the header with our own reader, the pixels with libspng.
///
/// Every kind (gray, palette, alpha, 16 bits, interlaced) becomes 8-bit RGB: alpha is dropped, not
/// blended, and of 16 bits the upper 8 are kept, as Pillow's `convert("RGB")` does.
enum PNGPicture {
    /// The bytes that one ancillary chunk, and all of them together, may take.
    private static let chunkLimit = 16 << 20

    /// Reads the chunks up to the pixels.
    ///
    /// - Returns: the header; nil if the bytes end before it is complete.
    /// - Throws: `ImageError.damaged` if the first chunk is no header, or one has no possible length,
    ///   or `pictureTooLarge`.
    /// - Source: W3C, Portable Network Graphics, third edition, sections 11.2.1 and 11.3.4.5.
    static func header(
        of bytes: Span<UInt8>,
        path: String,
        limit: ImageSize
    ) throws(ImageError) -> PictureHeader? {
        guard bytes.count >= 33 else { return nil }
        guard number(in: bytes, at: 8) == 13, isChunk(bytes, at: 8, named: "IHDR") else {
            throw .damaged(path: path, reason: "the PNG does not begin with its header")
        }
        let size = ImageSize(width: number(in: bytes, at: 16), height: number(in: bytes, at: 20))
        var orientation = Orientation.upright
        var offset = 33
        while offset + 8 <= bytes.count, !isChunk(bytes, at: offset, named: "IDAT") {
            guard let end = endOfChunk(in: bytes, at: offset) else {
                throw .damaged(path: path, reason: "PNG chunk too long at offset \(offset)")
            }
            if isChunk(bytes, at: offset, named: "eXIf") {
                guard end <= bytes.count else { return nil }
                orientation = Orientation(tiff: bytes, from: offset + 8, to: end - 4)
            }
            offset = end
        }
        guard offset + 8 <= bytes.count else { return nil }
        return try PictureHeader(
            path: path,
            format: .png,
            storedSize: size,
            orientation: orientation,
            limit: limit
        )
    }

    /// The chunk at an offset, before the pixels; nil at these.
    ///
    /// Critical chunks are needed, and of the ancillary ones the one that says how the camera was held.
    ///
    /// - Source: W3C, Portable Network Graphics, third edition, section 5.4.
    static func segment(in bytes: Span<UInt8>, at offset: Int) -> HeaderSegment? {
        guard offset + 8 <= bytes.count, !isChunk(bytes, at: offset, named: "IDAT"),
            let end = endOfChunk(in: bytes, at: offset)
        else { return nil }
        let isCritical = bytes[offset + 4] & 0x20 == 0
        return HeaderSegment(
            end: end,
            isNeeded: isCritical || isChunk(bytes, at: offset, named: "eXIf")
        )
    }

    /// Decodes into `slot`; `rest` is the descriptor of the file in which the bytes go on, -1 for none.
    ///
    /// - Throws: `ImageError.damaged` with the decoder's reason, or `.outOfMemory`.
    static func decode(
        _ bytes: Span<UInt8>,
        rest: Int32,
        header: PictureHeader,
        path: String,
        into slot: Bytes
    ) throws(ImageError) -> Frame {
        guard let decoder = unsafe spng_ctx_new(0) else {
            throw .outOfMemory(purpose: "the pixels of \(path)")
        }
        defer { unsafe spng_ctx_free(decoder) }
        let size = header.storedSize
        let status = unsafe bytes.withUnsafeBufferPointer { buffer in
            var input = unsafe PictureInput(beginning: buffer, rest: rest)
            return unsafe withUnsafeMutablePointer(to: &input) { input in
                unsafe decode(input, size: size, into: slot, decoder: decoder)
            }
        }
        guard status == 0 else {
            if status == Int32(SPNG_EMEM.rawValue) {
                throw .outOfMemory(purpose: "the pixels of \(path)")
            }
            // Safety: spng_strerror returns a string, for unknown numbers too.
            let reason = unsafe String(cString: spng_strerror(status))
            throw .damaged(path: path, reason: "PNG: " + reason)
        }
        return Frame(slot, size: size, format: .rgb24).upright(from: header.orientation)
    }

    /// The ladder of calls; the first status that is not 0 ends it.
    private static func decode(
        _ input: UnsafeMutablePointer<PictureInput>,
        size: ImageSize,
        into slot: Bytes,
        decoder: OpaquePointer
    ) -> Int32 {
        // Safety: the context is valid, the input outlives the calls, and spng_decode_image fails
        // unless the slot's share has exactly the decoded size.
        let format = Int32(SPNG_FMT_RGB8.rawValue)
        var status = unsafe spng_set_image_limits(decoder, UInt32(size.width), UInt32(size.height))
        if status == 0 { status = unsafe spng_set_chunk_limits(decoder, chunkLimit, chunkLimit) }
        if status == 0 {
            status = unsafe spng_set_crc_action(
                decoder,
                Int32(SPNG_CRC_ERROR.rawValue),
                Int32(SPNG_CRC_DISCARD.rawValue)
            )
        }
        if status == 0 {
            status = unsafe spng_set_png_stream(decoder, takeForPNG, input)
        }
        var decodedByteCount = 0
        if status == 0 {
            status = unsafe spng_decoded_image_size(decoder, format, &decodedByteCount)
        }
        guard status == 0 else { return status }
        guard decodedByteCount == size.frameByteCount, decodedByteCount <= slot.count else {
            return Int32(SPNG_EBUFSIZ.rawValue)
        }
        return unsafe spng_decode_image(decoder, slot.base, decodedByteCount, format, 0)
    }

    /// Where the chunk at an offset ends; nil if it is longer than the standard or this board allows.
    private static func endOfChunk(in bytes: Span<UInt8>, at offset: Int) -> Int? {
        let length = number(in: bytes, at: offset)
        guard length >= 0, length <= Int32.max else { return nil }
        let (end, isTooLong) = (offset + 12).addingReportingOverflow(length)
        return isTooLong ? nil : end
    }

    /// Four bytes; from 2^31 on a negative number where `Int` has 32 bits.
    private static func number(in bytes: Span<UInt8>, at offset: Int) -> Int {
        var value = 0
        for index in offset..<offset + 4 { value = value << 8 | Int(bytes[index]) }
        return value
    }

    /// Whether the chunk whose length is at an offset has this name.
    private static func isChunk(
        _ bytes: Span<UInt8>,
        at offset: Int,
        named name: StaticString
    ) -> Bool {
        for index in 0..<4 {
            // Safety: the name has four bytes.
            if unsafe name.utf8Start[index] != bytes[offset + 4 + index] { return false }
        }
        return true
    }
}

/// Gives libspng the next bytes of a `PictureInput`: all that it wants, or an error.
private func takeForPNG(
    _ decoder: OpaquePointer?,
    _ input: UnsafeMutableRawPointer?,
    _ out: UnsafeMutableRawPointer?,
    _ count: Int
) -> Int32 {
    guard let input = unsafe input, let out = unsafe out else {
        return Int32(SPNG_IO_ERROR.rawValue)
    }
    // Safety: the pointer is the one that the stream was set with; out has room for count bytes.
    let isTaken = unsafe input.assumingMemoryBound(to: PictureInput.self).pointee
        .take(count, into: out)
    return isTaken ? 0 : Int32(SPNG_IO_EOF.rawValue)
}
