// SPDX-License-Identifier: Apache-2.0

/// How a `tokenizer.json` says what SentencePiece does with spaces: each becomes "▁", and one may be put
/// before the text.
///
/// Older files say it as a normaliser (Prepend and Replace), newer ones as a pre-tokenizer (Metaspace).
struct MetaspaceStyle {
    /// Whether a text gets a space before it.
    let addsSpace: Bool

    /// Finds the style of a file.
    ///
    /// - Throws: `ConversionError.badValue`.
    init(_ settings: ModelSettings) throws(ConversionError) {
        let normalizer = settings.json["normalizer"] ?? .null
        let steps = normalizer["normalizers"]?.array ?? (normalizer.isNull ? [] : [normalizer])
        let cutting = settings.json["pre_tokenizer"] ?? .null
        switch (steps.map { $0["type"]?.string ?? "" }, cutting["type"]?.string) {
        case (["Prepend", "Replace"], nil):
            addsSpace = true
        case (["Replace"], nil):
            addsSpace = false
        case ([], "Metaspace") where cutting["split"]?.bool == false:
            addsSpace = ["first", "always"].contains(cutting["prepend_scheme"]?.string)
        default:
            throw settings.bad(
                "normalizer",
                "spaces replaced by \u{2581}, and nothing else",
                normalizer.isNull ? cutting : normalizer
            )
        }
    }
}
