// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusImage
import OcellusMemory

/// The files of Tests/Fixtures/images and camera, written by images.py and camera.py of
/// scripts/references.
enum Fixtures {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures")

    static let folder = root.appending(path: "images")

    static func path(_ name: String, in folder: String = "images") -> String {
        root.appending(path: "\(folder)/\(name)").path
    }

    static func bytes(_ name: String, in folder: String = "images") throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path(name, in: folder))))
    }

    /// The lines of a table, each split at its spaces.
    static func table(_ name: String, in folder: String = "images") throws -> [[String]] {
        try String(contentsOfFile: path(name, in: folder), encoding: .utf8)
            .split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }
}

/// Memory for one frame, freed with its owner.
final class Slot {
    let bytes: Bytes

    init(_ count: Int) {
        bytes = unsafe Bytes(
            base: .allocate(byteCount: max(count, 1), alignment: 64),
            count: count
        )
    }

    deinit { unsafe bytes.base.deallocate() }
}

/// The CRC-32 of zlib and PNG.
func crc32(_ bytes: [UInt8]) -> UInt32 {
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return ~sum
}

/// Small deterministic random numbers: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
