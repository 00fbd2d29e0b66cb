// SPDX-License-Identifier: Apache-2.0

/// How a text becomes pieces, and pieces tokens.
public enum TokenizerKind: Sendable, Equatable {
    /// Byte-level byte-pair encoding: GPT-2's alphabet of bytes, words cut by an expression.
    ///
    /// `normalizes` is whether a text is brought to Unicode's normal form C before.
    case byteLevel(WordStyle, normalizes: Bool)
    /// SentencePiece's byte-pair encoding: characters, spaces among them, without words; characters that
    /// are no tokens become bytes.
    case sentencePiece(SpacePrefix)

    /// When a text gets a space before it.
    public enum SpacePrefix: Sendable {
        case never
        /// Before each text between special and user-defined tokens: transformers' tokenizers of LLaMA, with
        /// SentencePiece or with the normaliser Prepend, unless they are told not to be "legacy".
        case always
        /// As `always`, unless the text begins with a space: Hugging Face's Metaspace, "always".
        case each
        /// Before a text that begins neither with a special or user-defined token nor with a space:
        /// Hugging Face's Metaspace, "first"; transformers' tokenizers that are not "legacy".
        case first
    }

    /// The expression by which a text is cut into words, by the name of a tokenizer that has it.
    public enum WordStyle: Sendable {
        /// GPT-2, GPT-NeoX, OLMo.
        case gpt2
        /// Falcon: punctuation apart, numbers in threes.
        case falcon
        /// Mistral's Tekken: words begin at capitals, numbers are single digits; a word that is a token
        /// is that token.
        case tekken
    }
}
