// SPDX-License-Identifier: Apache-2.0

/// How a byte-level tokenizer cuts a text before it encodes the pieces; the raw value is llama.cpp's
/// name of it ("tokenizer.ggml.pre").
enum PreTokenizerStyle: String {
    /// GPT-2's expression. llama.cpp knows GPT-NeoX under the name of a model that has it too.
    case gptNeoX = "olmo"
    /// Punctuation and numbers apart.
    case falcon
    /// Words begin at capitals, numbers are single digits.
    case tekken

    /// What Tekken's expression has and no other one.
    private static let tekkenMark = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#

    /// Finds the style of a `tokenizer.json`.
    ///
    /// - Throws: `ConversionError.badValue`.
    init(_ settings: ModelSettings) throws(ConversionError) {
        let value = settings.json["pre_tokenizer"] ?? .null
        let steps = value["pretokenizers"]?.array ?? [value]
        let names = steps.map { $0["type"]?.string ?? "" }
        let bytes = steps.first { $0["type"]?.string == "ByteLevel" } ?? .null
        let expressions = steps.compactMap { $0["pattern"]?["Regex"]?.string }
        let hasExpression = bytes["use_regex"]?.bool ?? true
        guard bytes["add_prefix_space"]?.bool == false else {
            throw settings.bad("pre_tokenizer", "ByteLevel without a space before the text", value)
        }
        switch names {
        case ["ByteLevel"] where hasExpression:
            self = .gptNeoX
        case ["Punctuation", "ByteLevel", "Digits", "Split"]
        where hasExpression && expressions == ["[0-9][0-9][0-9]"]
            && steps[0]["behavior"]?.string == "Contiguous"
            && steps[2]["individual_digits"]?.bool == false:
            self = .falcon
        case ["Split", "ByteLevel"]
        where !hasExpression && expressions.first?.contains(Self.tekkenMark) ?? false:
            self = .tekken
        default:
            throw settings.bad(
                "pre_tokenizer",
                "that of GPT-NeoX, Falcon or Tekken",
                .string(names.joined(separator: ", "))
            )
        }
    }

    /// Whether the file brings texts to normal form C.
    ///
    /// - Throws: `ConversionError.badValue` for any other normalisation.
    func normalizes(_ settings: ModelSettings) throws(ConversionError) -> Bool {
        let value = settings.json["normalizer"] ?? .null
        if value.isNull { return false }
        guard value["type"]?.string == "NFC" else {
            throw settings.bad("normalizer", "null or NFC", value)
        }
        return true
    }
}
