// SPDX-License-Identifier: Apache-2.0

/// How a camera held the sensor when it stored a picture: tag 0x0112 of EXIF.
///
/// The upright picture is the stored one, first mirrored, then transposed.
enum Orientation: Int {
    case upright = 1
    case mirroredHorizontally = 2
    case upsideDown = 3
    case mirroredVertically = 4
    case transposed = 5
    case turnedLeft = 6
    case transverse = 7
    case turnedRight = 8

    var isTransposed: Bool { rawValue >= 5 }

    /// Whether the stored rows run from right to left.
    var isMirroredHorizontally: Bool {
        switch self {
        case .mirroredHorizontally, .upsideDown, .transverse, .turnedRight: true
        case .upright, .mirroredVertically, .transposed, .turnedLeft: false
        }
    }

    /// Whether the stored columns run from bottom to top.
    var isMirroredVertically: Bool {
        switch self {
        case .upsideDown, .mirroredVertically, .turnedLeft, .transverse: true
        case .upright, .mirroredHorizontally, .transposed, .turnedRight: false
        }
    }

    /// Reads the orientation from a TIFF block, as EXIF carries it in JPEG and PNG.
    ///
    /// A block that is damaged or lacks the tag means an upright picture, as in other readers.
    ///
    /// - Source: TIFF 6.0, section 2; EXIF 2.32, section 4.6.4 A.
    init(tiff bytes: Span<UInt8>, from start: Int, to end: Int) {
        self = Orientation.tag(in: bytes, from: start, to: min(end, bytes.count)) ?? .upright
    }

    private static func tag(in bytes: Span<UInt8>, from start: Int, to end: Int) -> Orientation? {
        guard start >= 0, end - start >= 8 else { return nil }
        let isLittleEndian = bytes[start] == 0x49  // "II"
        guard bytes[start] == bytes[start + 1], isLittleEndian || bytes[start] == 0x4D else {
            return nil
        }
        func number(at offset: Int, byteCount: Int) -> Int? {
            guard offset >= start, offset <= end - byteCount else { return nil }
            var value = 0
            for index in 0..<byteCount {
                let byte = Int(
                    bytes[isLittleEndian ? offset + byteCount - 1 - index : offset + index]
                )
                value = value << 8 | byte
            }
            return value
        }
        guard number(at: start + 2, byteCount: 2) == 42,
            let directory = number(at: start + 4, byteCount: 4),
            let entryCount = number(at: start + directory, byteCount: 2)
        else { return nil }
        for index in 0..<entryCount {
            let entry = start + directory + 2 + 12 * index
            guard let tag = number(at: entry, byteCount: 2) else { return nil }
            if tag == 0x0112 {
                return number(at: entry + 8, byteCount: 2).flatMap { Orientation(rawValue: $0) }
            }
        }
        return nil
    }
}
