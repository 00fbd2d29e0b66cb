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
        guard let format = PictureFormat(of: bytes) else { throw .unknownFormat(path: path) }
        let header: PictureHeader?
        switch format {
        case .jpeg: header = try JPEGPicture.header(of: bytes, path: path, limit: limit)
        case .png: header = try PNGPicture.header(of: bytes, path: path, limit: limit)
        case .netpbm:
            header = try netpbmHeader(of: bytes, isComplete: isComplete, path: path, limit: limit)
        }
        if header == nil, isComplete {
            throw .damaged(path: path, reason: "the file ends within its header")
        }
        return header?.decodedSize
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
        guard let format = PictureFormat(of: bytes) else { throw .unknownFormat(path: path) }
        switch format {
        case .jpeg:
            let header = try checked(
                JPEGPicture.header(of: bytes, path: path, limit: limit),
                path: path,
                slot: slot
            )
            let decoder = try JPEGDecoder(width: header.storedSize.width)
            return try decoder.decode(bytes, header: header, path: path, into: slot)
        case .png:
            let header = try checked(
                PNGPicture.header(of: bytes, path: path, limit: limit),
                path: path,
                slot: slot
            )
            return try PNGPicture.decode(bytes, header: header, path: path, into: slot)
        case .netpbm:
            return try decodeNetpbm(bytes, path: path, into: slot, limit: limit)
        }
    }

    private static func checked(
        _ header: PictureHeader?,
        path: String,
        slot: Bytes
    ) throws(ImageError) -> PictureHeader {
        guard let header else {
            throw .damaged(path: path, reason: "the file ends within its header")
        }
        guard header.decodedSize.frameByteCount <= slot.count else {
            throw .slotTooSmall(
                path: path,
                neededBytes: header.decodedSize.frameByteCount,
                availableBytes: slot.count
            )
        }
        return header
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
            storedSize: header.size,
            orientation: .upright,
            scales: [1],
            limit: limit
        )
    }

    private static func decodeNetpbm(
        _ bytes: Span<UInt8>,
        path: String,
        into slot: Bytes,
        limit: ImageSize
    ) throws(ImageError) -> Frame {
        _ = try checked(
            netpbmHeader(of: bytes, isComplete: true, path: path, limit: limit),
            path: path,
            slot: slot
        )
        guard let header = try NetpbmHeader(bytes, isComplete: true, path: path) else {
            throw .damaged(path: path, reason: "the file ends within its header")
        }
        let byteCount = header.format.byteCount(of: header.size)
        guard bytes.count - header.byteCount >= byteCount else {
            throw .damaged(
                path: path,
                reason: "PPM needs \(byteCount) bytes of pixels and has "
                    + "\(bytes.count - header.byteCount)"
            )
        }
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            // Safety: both have byteCount bytes there, checked above.
            unsafe slot.base.copyMemory(from: base + header.byteCount, byteCount: byteCount)
        }
        return Frame(slot, size: header.size, format: header.format)
    }
}
