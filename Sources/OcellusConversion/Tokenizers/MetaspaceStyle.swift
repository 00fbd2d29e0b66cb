// SPDX-License-Identifier: Apache-2.0

/// How a `tokenizer.json` says what SentencePiece does with spaces: each becomes "▁", and one may be put
/// before the text.
///
/// Older files say it as a normaliser (Prepend and Replace), newer ones as a pre-tokenizer (Metaspace).
struct MetaspaceStyle {
    /// When a text gets a space before it; the raw value is that of "ocellus.tokenizer.space_prefix".
    enum SpacePrefix: String {
        case never
        /// Each text between added tokens.
        case always
        /// Each text between added tokens that begins with no space.
        case each
        /// Unless it begins with an added token or a space.
        case first

        /// What Metaspace's "prepend_scheme" stands for.
        init?(scheme: String) {
            switch scheme {
            case "never": self = .never
            case "always": self = .each
            case "first": self = .first
            default: return nil
            }
        }
    }

    let spacePrefix: SpacePrefix

    /// Finds the style of a file.
    ///
    /// - Throws: `ConversionError.badValue`.
    init(_ settings: ModelSettings) throws(ConversionError) {
        let normalizer = settings.json["normalizer"] ?? .null
        let steps = normalizer["normalizers"]?.array ?? (normalizer.isNull ? [] : [normalizer])
        let cutting = settings.json["pre_tokenizer"] ?? .null
        let mark = "\u{2581}"
        let replaces =
            steps.last?["pattern"]?["String"]?.string == " "
            && steps.last?["content"]?.string == mark
        switch (steps.map { $0["type"]?.string ?? "" }, cutting["type"]?.string) {
        case (["Prepend", "Replace"], nil) where replaces && steps[0]["prepend"]?.string == mark:
            spacePrefix = .always
        case (["Replace"], nil) where replaces:
            spacePrefix = .never
        case ([], "Metaspace")
        where cutting["split"]?.bool == false && cutting["replacement"]?.string == mark:
            let scheme = cutting["prepend_scheme"] ?? .string("always")
            guard let prefix = scheme.string.flatMap(SpacePrefix.init(scheme:)) else {
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
