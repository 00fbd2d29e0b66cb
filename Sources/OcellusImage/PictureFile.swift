// SPDX-License-Identifier: Apache-2.0
public import OcellusMemory

/// Reads pictures from files: JPEG, PNG, PPM or PGM, upright.
///
/// A file is decoded while it is read, so that no copy of it lies in memory.
public enum PictureFile {
    /// The size of the frame that `decode` will give; reads no more than needed for it.
    ///
    /// - Throws: `ImageError.unreadable`, or as `PictureDecoder.size(of:)`.
    public static func size(
        of path: String,
        limit: ImageSize = .standardLimit
    ) throws(ImageError) -> ImageSize {
        var picture = try OpenPicture(path)
        return try picture.header(limit: limit).decodedSize
    }

    /// Decodes a file into `slot`.
    ///
    /// A JPEG that is larger than the limit is decoded at 1/2, 1/4 or 1/8 of its size.
    ///
    /// - Returns: a view of the slot, valid until the slot is used again.
    /// - Throws: `ImageError.unreadable`, or as `PictureDecoder.decode`.
    public static func decode(
        _ path: String,
        into slot: Bytes,
        limit: ImageSize = .standardLimit
    ) throws(ImageError) -> Frame {
        var picture = try OpenPicture(path)
        let header = try picture.header(limit: limit)
        return try picture.decode(header, into: slot)
    }
}
