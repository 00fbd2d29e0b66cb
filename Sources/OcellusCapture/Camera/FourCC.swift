// SPDX-License-Identifier: Apache-2.0

/// The four characters by which V4L2 names a pixel format, such as YUYV.
public struct FourCC: Equatable, Sendable {
    /// The characters, the first one in the lowest byte.
    public let code: UInt32

    /// A name as a driver gives it.
    public init(code: UInt32) {
        self.code = code
    }

    /// A name as a user writes it; nil unless it has one to four printable characters.
    ///
    /// Other usual names are understood: MJPEG, RGB24, BGR24, YUV420, GRAY.
    public init?(_ text: String) {
        let name = FourCC.upperCased(text)
        var bytes = Array((FourCC.aliases.first { $0.alias == name }?.name ?? name).utf8)
        guard (1...4).contains(bytes.count), bytes.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        while bytes.count < 4 { bytes.append(UInt8(ascii: " ")) }
        var code: UInt32 = 0
        for index in 0..<4 { code |= UInt32(bytes[index]) << UInt32(8 * index) }
        self.code = code
    }

    /// The four characters; a question mark for what cannot be printed.
    public var description: String {
        var text = ""
        for shift: UInt32 in [0, 8, 16, 24] {
            let byte = UInt8(truncatingIfNeeded: code >> shift)
            // The highest bit says big-endian.
            let letter = shift == 24 ? byte & 0x7F : byte
            guard letter != 0x20 || shift < 24 else { break }
            text.unicodeScalars.append(
                Unicode.Scalar((0x20...0x7E).contains(letter) ? letter : UInt8(ascii: "?"))
            )
        }
        return text
    }

    private static let aliases: [(alias: String, name: String)] = [
        ("MJPEG", "MJPG"), ("RGB24", "RGB3"), ("BGR24", "BGR3"), ("YUV420", "YU12"),
        ("I420", "YU12"), ("YUY2", "YUYV"), ("GRAY", "GREY"),
    ]

    private static func upperCased(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            bytes.append((UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte - 32 : byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
