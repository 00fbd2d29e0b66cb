// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// The header of a JPEG, with a reader of our own: size, scale and orientation are known, and bounded,
/// before libjpeg-turbo sees a byte.
enum JPEGPicture {
    /// The scales at which the DCT itself decodes.
    static let scales = [1, 2, 4, 8]

    /// The memory that a progressive picture's coefficients may take, in bytes: the decoder keeps
    /// them all, at full size, whatever the scale.
    private static let coefficientLimit: Int64 = 512 << 20

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

    /// The segment at an offset, before the frame header; nil at that, and for what is no segment.
    ///
    /// Of the applications' segments JFIF's and Adobe's say how colors are stored, and EXIF's how
    /// the camera was held.
    static func segment(in bytes: Span<UInt8>, at offset: Int) -> HeaderSegment? {
        guard offset + 4 <= bytes.count, bytes[offset] == 0xFF else { return nil }
        let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
        switch bytes[offset + 1] {
        case 0xFF:
            return HeaderSegment(end: offset + 1, isNeeded: false)
        case _ where length < 2:
            return nil
        case 0xC4, 0xDB...0xDD, 0xE0, 0xEE:  // tables, JFIF, Adobe
            return HeaderSegment(end: offset + 2 + length, isNeeded: true)
        case 0xE1:
            guard offset + 10 <= bytes.count else { return nil }
            let isNeeded = isEXIF(bytes, at: offset + 4)
            return HeaderSegment(end: offset + 2 + length, isNeeded: isNeeded)
        case 0xE2...0xEF, 0xFE:  // other applications, comments
            return HeaderSegment(end: offset + 2 + length, isNeeded: false)
        default:
            return nil
        }
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
        // In 64 bits, on any board: the size was not checked yet.
        let coefficientBytes = 2 * Int64(size.width) * Int64(size.height) * Int64(componentCount)
        if isProgressive, coefficientBytes > coefficientLimit {
            throw .unsupported(
                path: path,
                feature: "a progressive JPEG of \(size.description) pixels"
            )
        }
        return try PictureHeader(
            path: path,
            format: .jpeg,
            storedSize: size,
            orientation: orientation,
            limit: limit
        )
    }
}
