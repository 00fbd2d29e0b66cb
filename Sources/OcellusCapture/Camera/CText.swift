// SPDX-License-Identifier: Apache-2.0

/// Texts in C structures.
enum CText {
    /// The text of an array of characters, which Swift sees as a tuple, to its first zero.
    static func string<Characters>(_ characters: Characters) -> String {
        var bytes: [UInt8] = []
        // Safety: the bytes of the tuple, as long as they are looked at.
        unsafe withUnsafeBytes(of: characters) { raw in
            for index in 0..<raw.count {
                let byte = unsafe raw[index]
                if byte == 0 { break }
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
