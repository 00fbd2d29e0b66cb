// SPDX-License-Identifier: Apache-2.0

/// The file formats of pictures, told apart by their first bytes.
public enum PictureFormat: Sendable {
    case jpeg
    case png
    /// PPM or PGM with binary samples.
    case netpbm

    /// The count of bytes that the recognition looks at.
    public static let signatureByteCount = 8

    /// The format of a file that begins with these bytes, or nil.
    public init?(of bytes: Span<UInt8>) {
        if PictureFormat.starts(bytes, with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if PictureFormat.starts(
            bytes,
            with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        ) {
            self = .png
        } else if bytes.count >= 2, bytes[0] == UInt8(ascii: "P"),
            bytes[1] == UInt8(ascii: "5") || bytes[1] == UInt8(ascii: "6")
        {
            self = .netpbm
        } else {
            return nil
        }
    }

    /// The denominators of the scales at which the decoder can decode, ascending.
    var scales: [Int] {
        switch self {
        case .jpeg: JPEGPicture.scales
        case .png, .netpbm: [1]
        }
    }

    /// Where the first segment of the header begins: behind the signature.
    var firstSegment: Int {
        switch self {
        case .jpeg: 2
        case .png: 8
        case .netpbm: 0
        }
    }

    /// The segment of the header that begins at an offset.
    ///
    /// - Returns: nil if the bytes end before it is known, if it is no segment, or the last one that
    ///   the header needs.
    func segment(in bytes: Span<UInt8>, at offset: Int) -> HeaderSegment? {
        switch self {
        case .jpeg: JPEGPicture.segment(in: bytes, at: offset)
        case .png: PNGPicture.segment(in: bytes, at: offset)
        case .netpbm: nil
        }
    }

    private static func starts(_ bytes: Span<UInt8>, with signature: [UInt8]) -> Bool {
        guard bytes.count >= signature.count else { return false }
        for index in signature.indices where bytes[index] != signature[index] { return false }
        return true
    }
}
