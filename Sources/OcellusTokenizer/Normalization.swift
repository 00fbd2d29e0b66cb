// SPDX-License-Identifier: Apache-2.0
@_spi(_Unicode) import Swift

/// Appends a text in Unicode's normal form C.
///
/// The standard library has the tables and the algorithm in both builds, for the comparison of
/// strings, and gives them out under the name `_nfc`, which is not part of its stable interface: it
/// is used here only, and the tests compare it with another implementation.
///
/// - Parameters:
///   - bytes: Valid UTF-8.
///   - output: What the normal form is appended to, as UTF-8.
func appendNormalized(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
    // No character below U+0300 composes with another one or decomposes; those from U+0300 begin
    // with byte 0xCC.
    if bytes.allSatisfy({ $0 < 0xCC }) {
        output.append(contentsOf: bytes)
        return
    }
    for scalar in String(decoding: bytes, as: UTF8.self)._nfc {
        output.append(contentsOf: scalar.utf8)
    }
}
