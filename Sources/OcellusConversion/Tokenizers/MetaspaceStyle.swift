// SPDX-License-Identifier: Apache-2.0

/// How a `tokenizer.json` says what SentencePiece does with spaces: each becomes "▁", and one may be put
/// before the text.
///
/// Older files say it as a normaliser (Prepend and Replace), newer ones as a pre-tokenizer (Metaspace).
struct MetaspaceStyle {
    /// When a text gets a space before it; the raw value is that of "prepend_scheme".
    enum SpacePrefix: String {
        case never
        /// Even if it begins with a special token or a space.
        case always
        /// Unless it begins with an added token or a space.
        case first
    }

    let spacePrefix: SpacePrefix

    /// Finds the style of a file.
    ///
    /// - Throws: `ConversionError.badValue`.
    init(_ settings: ModelSettings) throws(ConversionError) {
        let normalizer = settings.json["normalizer"] ?? .null
        let steps = normalizer["normalizers"]?.array ?? (normalizer.isNull ? [] : [normalizer])
        let cutting = settings.json["pre_tokenizer"] ?? .null
        switch (steps.map { $0["type"]?.string ?? "" }, cutting["type"]?.string) {
        case (["Prepend", "Replace"], nil):
            spacePrefix = .always
        case (["Replace"], nil):
            spacePrefix = .never
        case ([], "Metaspace") where cutting["split"]?.bool == false:
            let scheme = cutting["prepend_scheme"] ?? .null
            guard let prefix = scheme.string.map(SpacePrefix.init(rawValue:)) ?? .always else {
                throw settings.bad(
                    "pre_tokenizer.prepend_scheme",
                    "'never', 'always' or 'first'",
                    scheme
                )
            }
            spacePrefix = prefix
        default:
            throw settings.bad(
                "normalizer",
                "spaces replaced by \u{2581}, and nothing else",
                normalizer.isNull ? cutting : normalizer
            )
        }
    }
}
