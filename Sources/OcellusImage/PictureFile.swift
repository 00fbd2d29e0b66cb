// SPDX-License-Identifier: Apache-2.0
public import OcellusMemory

/// Reads pictures from files: JPEG, PNG, PPM or PGM, upright.
public enum PictureFile {
    /// The bytes that are read first to find out a size; enough for nearly all headers.
    private static let headerByteCount = 128 << 10

    /// The size of the frame that `decode` will give; reads no more than needed for it.
    ///
    /// - Throws: `ImageError.unreadable`, or as `PictureDecoder.size(of:)`.
    public static func size(
        of path: String,
        limit: ImageSize = .standardLimit
    ) throws(ImageError) -> ImageSize {
        let beginning = try FileContents.read(path, first: headerByteCount)
        let isComplete = beginning.count < headerByteCount
        if let size = try PictureDecoder.size(
            of: beginning.span,
            isComplete: isComplete,
            path: path,
            limit: limit
        ) {
            return size
        }
        let bytes = try FileContents.read(path)
        guard let size = try PictureDecoder.size(of: bytes.span, path: path, limit: limit) else {
            throw .damaged(path: path, reason: "the file ends within its header")
        }
        return size
    }

    /// Decodes a file into `slot`.
    ///
    /// A JPEG that is larger than the limit is decoded at 1/2, 1/4 or 1/8 of its size.
    ///
    /// - Returns: a view of the slot, valid until the slot is used again.
    /// - Throws: `ImageError.unreadable`, `.fileTooLarge`, or as `PictureDecoder.decode`.
    public static func decode(
        _ path: String,
        into slot: Bytes,
        limit: ImageSize = .standardLimit
    ) throws(ImageError) -> Frame {
        let bytes = try FileContents.read(path)
        return try PictureDecoder.decode(bytes.span, path: path, into: slot, limit: limit)
    }
}
