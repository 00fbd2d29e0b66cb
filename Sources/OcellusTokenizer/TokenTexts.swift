// SPDX-License-Identifier: Apache-2.0

/// The bytes of all tokens, one after another.
struct TokenTexts: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// Keeps what each token stands for: normal ones in the byte-level alphabet, others literally.
    init(tokens: [String], types: [TokenType]) {
        ends.reserveCapacity(tokens.count)
        for (token, type) in zip(tokens, types) {
            if type == .normal {
                ByteAlphabet.appendBytes(of: token, to: &bytes)
            } else {
                bytes.append(contentsOf: token.utf8)
            }
            ends.append(bytes.count)
        }
    }

    /// Keeps what each token of a SentencePiece vocabulary stands for: "▁" is a space, "<0x41>" of the
    /// type `byte` a byte.
    init(pieces: [String], types: [TokenType]) {
        ends.reserveCapacity(pieces.count)
        for (piece, type) in zip(pieces, types) {
            if type == .byte, let byte = Self.byte(of: piece) {
                bytes.append(byte)
            } else if type == .normal || type == .userDefined {
                for scalar in piece.unicodeScalars {
                    bytes.append(contentsOf: scalar == "\u{2581}" ? " ".utf8 : String(scalar).utf8)
                }
            } else {
                bytes.append(contentsOf: piece.utf8)
            }
            ends.append(bytes.count)
        }
    }

    /// The byte of "<0xNN>", or nil.
    private static func byte(of piece: String) -> UInt8? {
        let text = Array(piece.utf8)
        guard text.count == 6, text.starts(with: "<0x".utf8), text.last == UInt8(ascii: ">") else {
            return nil
        }
        return UInt8(String(decoding: text[3..<5], as: UTF8.self), radix: 16)
    }

    /// The count of bytes of all tokens.
    var byteCount: Int { bytes.count }

    /// The count of tokens.
    var count: Int { ends.count }

    /// The bytes of a token.
    subscript(_ token: Int) -> ArraySlice<UInt8> {
        bytes[(token == 0 ? 0 : ends[token - 1])..<ends[token]]
    }

    /// An index of tokens by their bytes; of two with the same bytes, the normal one, then the
    /// first.
    func index(types: [TokenType]) -> HashIndex {
        var index = HashIndex(capacity: count)
        for pass in 0..<2 {
            for token in 0..<count where (types[token] == .normal) == (pass == 0) {
                let text = self[token]
                index.insert(token, hash: Self.hash(text)) { self[$0] == text }
            }
        }
        return index
    }

    /// The token with these bytes, or nil.
    func token(_ text: [UInt8], in index: HashIndex) -> Int? {
        index.row(hash: Self.hash(text[...])) { self[$0] == text[...] }
    }

    private static func hash(_ text: ArraySlice<UInt8>) -> Int {
        var hasher = Hasher()
        for byte in text { hasher.combine(byte) }
        return hasher.finalize()
    }
}
