// SPDX-License-Identifier: Apache-2.0

/// The header of a binary PPM (`P6`) or PGM (`P5`) picture: magic, width, height, largest value.
///
/// - Source: netpbm, ppm(5) and pgm(5). Accepted are pictures of one byte per sample, whose largest
///   value is 255.
public struct NetpbmHeader {
    /// The size of the picture.
    public let size: ImageSize
    /// `rgb24` or `gray8`.
    public let format: PixelFormat
    /// The bytes of the header: the samples begin here.
    public let byteCount: Int

    /// The bytes that a header with its comments may have.
    public static let byteCountLimit = 4096

    /// Reads a header; nil if the bytes end within it and more may follow.
    ///
    /// - Parameters:
    ///   - bytes: the first bytes of the picture.
    ///   - isComplete: whether nothing follows `bytes`.
    ///   - path: the file, for errors.
    /// - Throws: `ImageError.damaged` or `ImageError.unsupported`.
    public init?(
        _ bytes: Span<UInt8>,
        isComplete: Bool,
        path: String
    ) throws(ImageError) {
        guard bytes.count >= 2 else {
            if isComplete { throw .damaged(path: path, reason: "PPM header ends too early") }
            return nil
        }
        guard bytes[0] == UInt8(ascii: "P"),
            bytes[1] == UInt8(ascii: "5") || bytes[1] == UInt8(ascii: "6")
        else {
            throw .damaged(path: path, reason: "a PPM picture begins with P5 or P6")
        }
        var offset = 2
        // Inline: a stream has one header per frame, and a frame allocates nothing.
        var numbers = InlineArray<3, Int>(repeating: 0)
        for index in numbers.indices {
            guard let number = try NetpbmHeader.number(in: bytes, at: &offset, path: path) else {
                if isComplete || bytes.count >= NetpbmHeader.byteCountLimit {
                    throw .damaged(path: path, reason: "PPM header ends too early")
                }
                return nil
            }
            numbers[index] = number
        }
        guard numbers[0] > 0, numbers[1] > 0 else {
            throw .damaged(path: path, reason: "PPM of \(numbers[0])x\(numbers[1]) pixels")
        }
        guard numbers[2] == 255 else {
            throw .unsupported(path: path, feature: "a PPM with largest value \(numbers[2])")
        }
        size = ImageSize(width: numbers[0], height: numbers[1])
        format = bytes[1] == UInt8(ascii: "6") ? .rgb24 : .gray8
        byteCount = offset
    }

    /// Reads white space, comments, one number, and the one white space after it.
    ///
    /// - Returns: nil if the bytes end before the number is complete.
    private static func number(
        in bytes: Span<UInt8>,
        at offset: inout Int,
        path: String
    ) throws(ImageError) -> Int? {
        var isComment = false
        while offset < bytes.count,
            isComment || isSpace(bytes[offset]) || bytes[offset] == UInt8(ascii: "#")
        {
            isComment =
                (isComment || bytes[offset] == UInt8(ascii: "#"))
                && bytes[offset] != UInt8(ascii: "\n")
            offset += 1
        }
        var value = 0
        let start = offset
        while offset < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[offset])
        {
            value = 10 * value + Int(bytes[offset] - UInt8(ascii: "0"))
            offset += 1
            guard value <= 1 << 20 else {
                throw .damaged(path: path, reason: "PPM header has a number over 1048576")
            }
        }
        guard offset < bytes.count else { return nil }
        guard offset > start, isSpace(bytes[offset]) else {
            throw .damaged(path: path, reason: "PPM number expected at offset \(start)")
        }
        offset += 1
        return value
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }
}
