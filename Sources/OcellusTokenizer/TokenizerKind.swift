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
        /// Before each text, also between special tokens: SentencePiece itself, and what is made of it.
        case always
        /// Before a text that begins neither with a special or user-defined token nor with a space:
        /// Hugging Face's Metaspace with the scheme "first".
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
