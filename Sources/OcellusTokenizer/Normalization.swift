// SPDX-License-Identifier: Apache-2.0
@_spi(_Unicode) import Swift

/// Appends a text in Unicode's normal form C.
///
/// The standard library has the tables and the algorithm in both builds, for the comparison of
/// strings, and gives them out under the name `_nfc`, which is not part of its stable interface: it
/// is used here only, and the tests compare it with another implementation. Of all assigned
/// characters, tokenizers 0.23.3 treats only U+113C2, U+1611E and U+16D67 differently: they are
/// newer than its tables.
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
    var text = String(decoding: bytes, as: UTF8.self)
    if text.unicodeScalars.contains(where: beginsWithMark) {
        // The standard library does not order the marks of these; once they are apart, it does.
        text = normalForm(text)
    }
    output.append(contentsOf: normalForm(text).utf8)
}

private func normalForm(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text._nfc { scalars.append(scalar) }
    return String(scalars)
}

/// Whether a character is a base by its class, but a mark first when it is decomposed.
///
/// These three are all there will ever be (Unicode's list of non-starter decompositions is closed).
private func beginsWithMark(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\u{F73}" || scalar == "\u{F75}" || scalar == "\u{F81}"
}
