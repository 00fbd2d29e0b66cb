// SPDX-License-Identifier: Apache-2.0

/// What a token is; the raw value is GGUF's ("tokenizer.ggml.token_type").
public enum TokenType: Int, Sendable {
    /// A piece of text, stored in the byte-level alphabet.
    case normal = 1
    /// What stands for text that the vocabulary cannot express; not used by byte-level models.
    case unknown = 2
    /// A special token: matched in a template, never printed.
    case control = 3
    /// A token added to the vocabulary, stored as it is written: the runs of spaces.
    case userDefined = 4
    /// Padding of the vocabulary.
    case unused = 5
    /// A single byte; not used by byte-level models.
    case byte = 6
}
