// SPDX-License-Identifier: Apache-2.0
import CLibc
import CTurboJPEG
import OcellusMemory

/// JPEG: the header with our own reader, the pixels with libjpeg-turbo.
///
/// The decoder's settings are those of most programs (accurate integer DCT, smooth chroma
/// upsampling), so the pixels equal theirs.
enum JPEGPicture {
    /// The scales at which the DCT itself decodes.
    private static let scales = [1, 2, 4, 8]

    /// The memory that a progressive picture's coefficients may take, in bytes: the decoder keeps
    /// them all, at full size, whatever the scale.
    private static let coefficientLimit = 512 << 20

    /// Reads the segments up to the frame header.
    ///
    /// - Returns: the header; nil if the bytes end before it is complete.
    /// - Throws: `ImageError.damaged` for anything that is not a segment,
    ///   `ImageError.unsupported` for CMYK, lossless and arithmetic JPEG,
    ///   `ImageError.pictureTooLarge` if even an eighth does not fit into the limit.
    /// - Source: ITU-T T.81, annex B.
    static func header(
        of bytes: Span<UInt8>,
        path: String,
        limit: ImageSize
    ) throws(ImageError) -> PictureHeader? {
        var orientation = Orientation.upright
        var offset = 2
        while offset + 4 <= bytes.count {
            guard bytes[offset] == 0xFF else {
                throw .damaged(path: path, reason: "JPEG marker expected at offset \(offset)")
            }
            let marker = bytes[offset + 1]
            if marker == 0xFF {  // a fill byte
                offset += 1
                continue
            }
            let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
            let content = offset + 4
            let end = offset + 2 + length
            guard length >= 2 else {
                throw .damaged(path: path, reason: "JPEG segment too short at offset \(offset)")
            }
            switch marker {
            case 0xC0, 0xC1, 0xC2:
                guard content + 6 <= bytes.count else { return nil }
                return try frameHeader(
                    of: bytes,
                    at: content,
                    isProgressive: marker == 0xC2,
                    orientation: orientation,
                    path: path,
                    limit: limit
                )
            case 0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                throw .unsupported(path: path, feature: "a lossless or arithmetic-coded JPEG")
            case 0xD9, 0xDA:
                throw .damaged(path: path, reason: "the JPEG has no frame header")
            case 0xE1 where isEXIF(bytes, at: content):
                guard end <= bytes.count else { return nil }
                orientation = Orientation(tiff: bytes, from: content + 6, to: end)
            default:
                break
            }
            offset = end
        }
        return nil
    }

    /// Decodes into `slot` at the scale of the header.
    ///
    /// - Throws: `ImageError.damaged` with the decoder's reason, for a picture that ends too early
    ///   too.
    static func decode(
        _ bytes: Span<UInt8>,
        header: PictureHeader,
        path: String,
        into slot: Bytes
    ) throws(ImageError) -> Frame {
        guard let decoder = unsafe tjInitDecompress() else {
            throw .unreadable(path: path, reason: "libjpeg-turbo has no memory")
        }
        defer { unsafe _ = tjDestroy(decoder) }
        let scaled = ImageSize(
            width: (header.storedSize.width + header.scaleDenominator - 1)
                / header.scaleDenominator,
            height: (header.storedSize.height + header.scaleDenominator - 1)
                / header.scaleDenominator
        )
        var failure = unsafe decode(
            bytes,
            size: scaled,
            flags: TJFLAG_STOPONWARNING,
            decoder: decoder,
            into: slot
        )
        if isHarmless(failure) {
            failure = unsafe decode(bytes, size: scaled, flags: 0, decoder: decoder, into: slot)
            if isHarmless(failure) { failure = nil }
        }
        if let failure { throw .damaged(path: path, reason: failure) }
        return Frame(slot, size: scaled, format: .rgb24).upright(from: header.orientation)
    }

    /// - Returns: what was wrong, if anything.
    @unsafe
    private static func decode(
        _ bytes: Span<UInt8>,
        size: ImageSize,
        flags: Int32,
        decoder: tjhandle,
        into slot: Bytes
    ) -> String? {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            // Safety: the caller checked that the slot holds a frame of this size; the decoder
            // writes height rows of 3 * width bytes, or fails if the bytes have another size.
            let status = unsafe tjDecompress2(
                decoder,
                buffer.baseAddress,
                UInt(buffer.count),
                slot.base.assumingMemoryBound(to: UInt8.self),
                Int32(size.width),
                Int32(3 * size.width),
                Int32(size.height),
                Int32(TJPF_RGB.rawValue),
                TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS | flags
            )
            return status == 0 ? nil : unsafe String(cString: tjGetErrorStr2(decoder))
        }
    }

    /// Whether a decoder's message is about filler that some cameras leave between segments: the one
    /// warning after which the picture is whole.
    private static func isHarmless(_ failure: String?) -> Bool {
        guard let failure else { return false }
        return unsafe strstr(failure, "extraneous bytes") != nil  // Safety: two texts.
    }

    private static func isEXIF(_ bytes: Span<UInt8>, at offset: Int) -> Bool {
        // "Exif" and two zeros.
        offset + 6 <= bytes.count && bytes[offset] == 0x45 && bytes[offset + 1] == 0x78
            && bytes[offset + 2] == 0x69 && bytes[offset + 3] == 0x66
            && bytes[offset + 4] == 0 && bytes[offset + 5] == 0
    }

    private static func frameHeader(
        of bytes: Span<UInt8>,
        at content: Int,
        isProgressive: Bool,
        orientation: Orientation,
        path: String,
        limit: ImageSize
    ) throws(ImageError) -> PictureHeader {
        let size = ImageSize(
            width: Int(bytes[content + 3]) << 8 | Int(bytes[content + 4]),
            height: Int(bytes[content + 1]) << 8 | Int(bytes[content + 2])
        )
        let componentCount = Int(bytes[content + 5])
        if componentCount == 4 { throw .unsupported(path: path, feature: "a CMYK JPEG") }
        guard componentCount == 1 || componentCount == 3 else {
            throw .damaged(path: path, reason: "the JPEG has \(componentCount) components")
        }
        if isProgressive, size.pixelCount * componentCount * 2 > coefficientLimit {
            throw .unsupported(
                path: path,
                feature: "a progressive JPEG of \(size.description) pixels"
            )
        }
        return try PictureHeader(
            path: path,
            storedSize: size,
            orientation: orientation,
            scales: scales,
            limit: limit
        )
    }
}
