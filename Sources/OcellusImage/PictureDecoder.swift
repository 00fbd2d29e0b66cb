// SPDX-License-Identifier: Apache-2.0
public import OcellusMemory

/// Decodes a picture from memory: JPEG, PNG, PPM or PGM, upright.
public enum PictureDecoder {
    /// The size of the frame that `decode` will give.
    ///
    /// - Parameters:
    ///   - bytes: the file, or its beginning.
    ///   - isComplete: whether these are all bytes of the file.
    ///   - path: the file, for errors.
    ///   - limit: the largest frame.
    /// - Returns: nil if the bytes end before the size is known and more may follow.
    /// - Throws: `ImageError.unknownFormat`, `.damaged`, `.unsupported` or `.pictureTooLarge`.
    public static func size(
        of bytes: Span<UInt8>,
        isComplete: Bool = true,
        path: String,
        limit: ImageSize = .standardLimit
    ) throws(ImageError) -> ImageSize? {
        let format = try format(of: bytes, path: path)
        return try header(of: bytes, isComplete: isComplete, format, path: path, limit: limit)?
            .decodedSize
    }

    /// Decodes a picture into `slot`.
    ///
    /// A JPEG that is larger than the limit is decoded at 1/2, 1/4 or 1/8 of its size. A picture
    /// whose EXIF data says that the camera was turned comes out upright.
    ///
    /// - Returns: a view of the slot, valid until the slot is used again.
    /// - Throws: as `size(of:)`, and `ImageError.slotTooSmall`.
    public static func decode(
        _ bytes: Span<UInt8>,
        path: String,
        into slot: Bytes,
        limit: ImageSize = .standardLimit
    ) throws(ImageError) -> Frame {
        let format = try format(of: bytes, path: path)
        guard
            let header = try header(
                of: bytes,
                isComplete: true,
                format,
                path: path,
                limit: limit
            )
        else {
            throw .damaged(path: path, reason: endsEarly)
        }
        return try decode(bytes, header, path: path, into: slot)
    }

    private static let endsEarly = "the file ends within its header"

    /// The format of a file that begins with these bytes.
    ///
    /// - Throws: `ImageError.unknownFormat`.
    static func format(of bytes: Span<UInt8>, path: String) throws(ImageError) -> PictureFormat {
        guard let format = PictureFormat(of: bytes) else { throw .unknownFormat(path: path) }
        return format
    }

    /// The header; nil if the bytes end within it and more may follow.
    static func header(
        of bytes: Span<UInt8>,
        isComplete: Bool,
        _ format: PictureFormat,
        path: String,
        limit: ImageSize
    ) throws(ImageError) -> PictureHeader? {
        let header: PictureHeader?
        switch format {
        case .jpeg: header = try JPEGPicture.header(of: bytes, path: path, limit: limit)
        case .png: header = try PNGPicture.header(of: bytes, path: path, limit: limit)
        case .netpbm:
            header = try netpbmHeader(of: bytes, isComplete: isComplete, path: path, limit: limit)
        }
        if header == nil, isComplete { throw .damaged(path: path, reason: endsEarly) }
        return header
    }

    /// Decodes a picture whose header was read.
    ///
    /// - Parameters:
    ///   - bytes: all bytes, or the first ones with all of the header that is needed.
    ///   - rest: the descriptor of the file, which stands behind `bytes`; -1 if nothing follows.
    ///   - header: what `header(of:)` said of the bytes.
    ///   - path: the file, for errors.
    ///   - slot: memory for the pixels.
    /// - Returns: a view of the slot, valid until the slot is used again.
    /// - Throws: as the one above, but for errors of the header.
    static func decode(
        _ bytes: Span<UInt8>,
        rest: Int32 = -1,
        _ header: PictureHeader,
        path: String,
        into slot: Bytes
    ) throws(ImageError) -> Frame {
        guard header.decodedSize.frameByteCount <= slot.count else {
            throw .slotTooSmall(
                path: path,
                neededBytes: header.decodedSize.frameByteCount,
                availableBytes: slot.count
            )
        }
        switch header.format {
        case .jpeg:
            let decoder = try JPEGDecoder(width: header.storedSize.width)
            return try decoder.decode(bytes, rest: rest, header: header, path: path, into: slot)
        case .png:
            return try PNGPicture.decode(bytes, rest: rest, header: header, path: path, into: slot)
        case .netpbm:
            return try decodeNetpbm(bytes, rest: rest, path: path, into: slot)
        }
    }

    private static func netpbmHeader(
        of bytes: Span<UInt8>,
        isComplete: Bool,
        path: String,
        limit: ImageSize
    ) throws(ImageError) -> PictureHeader? {
        guard let header = try NetpbmHeader(bytes, isComplete: isComplete, path: path) else {
            return nil
        }
        return try PictureHeader(
            path: path,
            format: .netpbm,
            storedSize: header.size,
            orientation: .upright,
            limit: limit
        )
    }

    private static func decodeNetpbm(
        _ bytes: Span<UInt8>,
        rest: Int32,
        path: String,
        into slot: Bytes
    ) throws(ImageError) -> Frame {
        guard let header = try NetpbmHeader(bytes, isComplete: true, path: path) else {
            throw .damaged(path: path, reason: endsEarly)
        }
        let byteCount = header.format.byteCount(of: header.size)
        let isWhole = unsafe bytes.withUnsafeBufferPointer { buffer in
            var input = unsafe PictureInput(
                beginning: UnsafeBufferPointer(rebasing: buffer[header.byteCount...]),
                rest: rest
            )
            // Safety: the slot has room for the frame, of which these are at most all bytes.
            return unsafe input.take(byteCount, into: slot.base)
        }
        guard isWhole else {
            throw .damaged(path: path, reason: "it has less than \(byteCount) bytes of pixels")
        }
        return Frame(slot, size: header.size, format: header.format)
    }
}
