// SPDX-License-Identifier: Apache-2.0

/// The byte-level alphabet: one printable character for each byte.
///
/// Bytes 33-126, 161-172 and 174-255 stand for themselves; the other 68, in increasing order, are
/// U+0100, U+0101 and so on: the space is U+0120 "Ġ", the line feed U+010A "Ċ".
///
/// - Source: GPT-2's encoder (Radford et al. 2019), as in Hugging Face tokenizers' ByteLevel.
enum ByteAlphabet {
    /// The byte that a character stands for, or nil if it is not in the alphabet.
    static func byte(for scalar: Unicode.Scalar) -> UInt8? {
        switch scalar.value {
        case 33...126, 161...172, 174...255: UInt8(scalar.value)
        case 0x100...0x120: UInt8(scalar.value - 0x100)  // 0-32
        case 0x121...0x142: UInt8(scalar.value - 0x121 + 127)  // 127-160
        case 0x143: 173
        default: nil
        }
    }

    /// Appends the bytes that a text in the alphabet stands for.
    ///
    /// A text with a character outside of the alphabet stands for its own UTF-8.
    static func appendBytes(of text: String, to bytes: inout [UInt8]) {
        let start = bytes.count
        for scalar in text.unicodeScalars {
            guard let byte = byte(for: scalar) else {
                bytes.removeSubrange(start...)
                bytes.append(contentsOf: text.utf8)
                return
            }
            bytes.append(byte)
        }
    }
}
