// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// A tokenizer as the metadata of a GGUF file describes it ("tokenizer.ggml.*").
struct TokenizerDescription {
    /// GGUF's numbers of the types of tokens.
    enum TokenType: Int32 {
        case normal = 1
        case unknown = 2
        case control = 3
        case userDefined = 4
        case unused = 5
        case byte = 6
    }

    /// How many rows of an embedding may be padding, without a token: the greatest multiple that counts of
    /// rows are rounded up to.
    private static let maximumPadding = 128

    /// "gpt2" for byte-level byte-pair encoding, "llama" for SentencePiece's.
    var model: String
    /// How a text is cut before it is encoded, or nil if it is not.
    var preTokenizer: String?
    var tokens: [String]
    var types: [TokenType]
    /// "left right", the soonest first; empty if scores say the order.
    var merges: [String] = []
    /// One per token; empty if merges say the order.
    var scores: [Float] = []
    var endOfText: Int
    /// At most two.
    var otherEnds: [Int] = []
    var start: Int?
    var addsStart = false
    /// When a text gets a space before it; nil if it has words.
    var spacePrefix: MetaspaceStyle.SpacePrefix?
    /// Whether a text is brought to Unicode's normal form C; nil where the kind says it.
    var normalizes: Bool?

    /// Adds the keys to a decoder file, the vocabulary filled up to the rows of the embedding.
    ///
    /// - Throws: `ConversionError.unsupported` if there are more tokens than rows, or so few that padding
    ///   does not explain it.
    func add(
        to file: inout FileDescription,
        rowCount: Int,
        path: String
    ) throws(ConversionError) {
        guard tokens.count <= rowCount else {
            throw .unsupported(
                path: path,
                what:
                    "the tokenizer has \(tokens.count) tokens, the embedding \(rowCount) rows; it is "
                    + "that of another model"
            )
        }
        let gaps = tokens.enumerated().count { types[$0] == .unused && $1 == "[PAD\($0)]" }
        let padding = tokens.count..<rowCount
        guard gaps + padding.count <= Self.maximumPadding else {
            throw .unsupported(
                path: path,
                what:
                    "the tokenizer should have tokens for all of the embedding's \(rowCount) rows but "
                    + "\(Self.maximumPadding) at most, has \(tokens.count - gaps); it is that of "
                    + "another model"
            )
        }
        let paddingTypes = padding.map { _ in TokenType.unused.rawValue }
        file.add("tokenizer.ggml.model", .string(model))
        if let preTokenizer { file.add("tokenizer.ggml.pre", .string(preTokenizer)) }
        file.add("tokenizer.ggml.tokens", .strings(tokens + padding.map { "[PAD\($0)]" }))
        file.add("tokenizer.ggml.token_type", .int32s(types.map(\.rawValue) + paddingTypes))
        if !merges.isEmpty { file.add("tokenizer.ggml.merges", .strings(merges)) }
        if !scores.isEmpty {
            file.add("tokenizer.ggml.scores", .float32s(scores + padding.map { _ in 0 }))
        }
        file.add("tokenizer.ggml.bos_token_id", .uint32(UInt32(start ?? endOfText)))
        file.add("tokenizer.ggml.eos_token_id", .uint32(UInt32(endOfText)))
        for (name, end) in zip(["eot", "eom"], otherEnds) {
            file.add("tokenizer.ggml.\(name)_token_id", .uint32(UInt32(end)))
        }
        file.add("tokenizer.ggml.add_bos_token", .bool(addsStart))
        if let spacePrefix {
            file.add("tokenizer.ggml.add_space_prefix", .bool(spacePrefix != .never))
            file.add("ocellus.tokenizer.space_prefix", .string(spacePrefix.rawValue))
        }
        if let normalizes { file.add("ocellus.tokenizer.normalize", .bool(normalizes)) }
    }
}
