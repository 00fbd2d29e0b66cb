// SPDX-License-Identifier: Apache-2.0

/// Cuts a text into the pieces that byte-pair encoding never joins.
struct PreTokenizer {
    private enum Words {
        case gpt2(GPT2Words)
        case falcon(FalconWords)
        case tekken(TekkenWords)
    }

    private var words: Words

    /// Cuts a text of valid UTF-8.
    init(_ text: ArraySlice<UInt8>, style: TokenizerKind.WordStyle) {
        switch style {
        case .gpt2: words = .gpt2(GPT2Words(text))
        case .falcon: words = .falcon(FalconWords(text))
        case .tekken: words = .tekken(TekkenWords(text))
        }
    }

    /// The next piece, or nil at the end.
    mutating func next() -> ArraySlice<UInt8>? {
        switch words {
        case .gpt2(var words):
            defer { self.words = .gpt2(words) }
            return words.next()
        case .falcon(var words):
            defer { self.words = .falcon(words) }
            return words.next()
        case .tekken(var words):
            defer { self.words = .tekken(words) }
            return words.next()
        }
    }
}
