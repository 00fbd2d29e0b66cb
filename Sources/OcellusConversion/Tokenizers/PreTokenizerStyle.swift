// SPDX-License-Identifier: Apache-2.0

/// How a byte-level tokenizer cuts a text before it encodes the pieces; the raw value is llama.cpp's
/// name of it ("tokenizer.ggml.pre").
enum PreTokenizerStyle: String {
    /// GPT-2's expression. llama.cpp knows GPT-NeoX under the name of a model that has it too.
    case gptNeoX = "olmo"

    /// Finds the style of a `tokenizer.json`.
    ///
    /// - Throws: `ConversionError.badValue`.
    init(_ settings: ModelSettings) throws(ConversionError) {
        let value = settings.json["pre_tokenizer"] ?? .null
        let steps = value["pretokenizers"]?.array ?? [value]
        guard steps.count == 1, steps[0]["type"]?.string == "ByteLevel",
            steps[0]["add_prefix_space"]?.bool == false,
            steps[0]["use_regex"]?.bool ?? true
        else {
            throw settings.bad("pre_tokenizer", "ByteLevel, as GPT-NeoX has it", value)
        }
        self = .gptNeoX
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
