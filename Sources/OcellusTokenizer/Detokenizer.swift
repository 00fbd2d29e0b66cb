// SPDX-License-Identifier: Apache-2.0

/// Turns tokens back into text, token by token.
///
/// A token may end within a character: its bytes are held back until the character is complete, so
/// that what has been appended is valid UTF-8 at any time. Special tokens print nothing.
///
///     var detokenizer = Detokenizer(vocabulary)
///     for token in tokens { detokenizer.append(token, to: &text) }
///     detokenizer.finish(to: &text)
public struct Detokenizer {
    private let vocabulary: Vocabulary
    private var repair = UTF8Repair()

    /// A detokenizer at the beginning of a text.
    public init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
    }

    /// Appends what a token completes; ill-formed bytes become U+FFFD.
    ///
    /// A token that the vocabulary does not have prints nothing. Allocates nothing if the output
    /// has capacity.
    public mutating func append(_ token: Int, to output: inout [UInt8]) {
        switch vocabulary.type(of: token) {
        case .normal, .userDefined, .byte:
            for byte in vocabulary.texts[token] { repair.append(byte, to: &output) }
        case .control, .unknown, .unused, nil:
            break
        }
    }

    /// Ends the text: bytes that are still held back become one U+FFFD.
    public mutating func finish(to output: inout [UInt8]) {
        repair.finish(to: &output)
    }
}
