// SPDX-License-Identifier: Apache-2.0

/// Reads Hugging Face's `tokenizer.json`.
///
/// - Source: huggingface/tokenizers, tokenizers/src/models/bpe, pre_tokenizers and normalizers.
struct TokenizerFile {
    private let settings: ModelSettings

    /// Opens a file.
    init(path: String) throws {
        settings = try ModelSettings(path: path)
    }

    /// The tokenizer that the file describes.
    ///
    /// - Parameters:
    ///   - special: The names of tokens with a meaning, from the files beside it.
    ///   - limit: The ids that tokens may have.
    /// - Returns: The vocabulary and how it is used.
    /// - Throws: `ConversionError`.
    func description(
        _ special: SpecialTokens,
        limit: TokenLimit
    ) throws(ConversionError) -> TokenizerDescription {
        let model = try settings.below("model")
        guard try model.text("type", default: "BPE") == "BPE" else {
            throw model.bad("type", "'BPE'", try model.value("type"))
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            let mark = try model.text(key, default: "")
            guard mark.isEmpty else { throw model.bad(key, "empty", .string(mark)) }
        }
        var (tokens, types) = try vocabulary(model, limit)
        let merges = try merges(model, of: tokens)
        try AddedTokens(settings, limit: limit).add(to: &tokens, &types)
        let hasBytes = try model.flag("byte_fallback", default: false)
        if hasBytes { markBytes(tokens, &types) }
        if try model.flag("ignore_merges", default: false) {
            try requireWhole(tokens, types, merges, model)
        }
        let end = try special.end(among: tokens, of: settings.path)
        let around = try PostProcessor(settings, of: tokens, limit: limit)
        let start = around.start ?? special.start(among: tokens)
        // As transformers 5 has it: where the file itself says it, the one beside it does not count.
        let addsStart = around.addsStart ?? special.addsStart
        if hasBytes {
            let style = try MetaspaceStyle(settings)
            return TokenizerDescription(
                model: "llama",
                tokens: tokens,
                types: types,
                scores: Self.scores(of: tokens, merges),
                endOfText: end,
                start: start ?? tokens.firstIndex(of: "<s>"),
                addsStart: addsStart ?? true,
                spacePrefix: style.spacePrefix
            )
        }
        let style = try PreTokenizerStyle(settings)
        return TokenizerDescription(
            model: "gpt2",
            preTokenizer: style.rawValue,
            tokens: tokens,
            types: types,
            merges: merges,
            endOfText: end,
            start: start,
            addsStart: addsStart ?? false,
            normalizes: try style.normalizes(settings)
        )
    }

    /// Marks the tokens of SentencePiece that stand for bytes, and the unknown one.
    private func markBytes(_ tokens: [String], _ types: inout [TokenizerDescription.TokenType]) {
        for (index, token) in tokens.enumerated() {
            if token.utf8.count == 6, token.hasPrefix("<0x"), token.hasSuffix(">") {
                types[index] = .byte
            } else if token == "<unk>" {
                types[index] = .unknown
            }
        }
    }

    /// Scores with which SentencePiece merges in the order of merges: the sooner, the higher; the lowest for
    /// what no merge makes.
    private static func scores(of tokens: [String], _ merges: [String]) -> [Float] {
        var ranks: [[UInt8]: Int] = [:]
        for (rank, merge) in merges.enumerated() {
            let result = merge.utf8.filter { $0 != UInt8(ascii: " ") }
            if ranks[result] == nil { ranks[result] = rank }
        }
        return tokens.map { Float(-(ranks[Array($0.utf8)] ?? merges.count)) }
    }

    /// The ordinary tokens, in the order of their ids.
    private func vocabulary(
        _ model: ModelSettings,
        _ limit: TokenLimit
    ) throws(ConversionError) -> (tokens: [String], types: [TokenizerDescription.TokenType]) {
        let vocabulary = try model.value("vocab")
        guard let members = vocabulary.members, !members.isEmpty else {
            throw model.bad("vocab", "an object of tokens and ids", vocabulary)
        }
        var tokens: [String?] = []
        for (text, value) in members {
            let id = try limit.id(value, "vocab.\(text)", of: model)
            while tokens.count <= id { tokens.append(nil) }
            guard tokens[id] == nil else {
                throw model.bad("vocab.\(text)", "an id of its own", value)
            }
            tokens[id] = text
        }
        return (
            tokens.enumerated().map { $1 ?? "[PAD\($0)]" },
            tokens.map { $0 == nil ? .unused : .normal }
        )
    }

    /// Refuses a token that only a tokenizer without merges finds.
    private func requireWhole(
        _ tokens: [String],
        _ types: [TokenizerDescription.TokenType],
        _ merges: [String],
        _ model: ModelSettings
    ) throws(ConversionError) {
        let result = MergeResult(merges, of: tokens)
        for (token, type) in zip(tokens, types) where type == .normal && !result.isWhole(token) {
            throw model.bad(
                "ignore_merges",
                "false, as no merges make '\(token)' of its characters",
                .bool(true)
            )
        }
    }

    /// "left right", from texts or, in newer files, from pairs: two tokens that make a third.
    private func merges(
        _ model: ModelSettings,
        of tokens: [String]
    ) throws(ConversionError) -> [String] {
        let value = try model.value("merges")
        guard let list = value.array, !list.isEmpty else {
            throw model.bad("merges", "a list that is not empty", value)
        }
        // By bytes: texts that only look the same are other tokens.
        let known = Set(tokens.map { Array($0.utf8) })
        var merges: [String] = []
        merges.reserveCapacity(list.count)
        for (index, merge) in list.enumerated() {
            let pair =
                merge.string.map(Self.halves(of:)) ?? merge.array?.compactMap(\.string) ?? []
            guard pair.count == 2 else {
                throw model.bad("merges.\(index)", "two tokens", merge)
            }
            for part in [pair[0], pair[1], pair[0] + pair[1]]
            where !known.contains(Array(part.utf8)) {
                throw model.bad(
                    "merges.\(index)",
                    "two tokens that make a third; 'model.vocab' has no '\(part)'",
                    .string("\(pair[0]) \(pair[1])")
                )
            }
            merges.append("\(pair[0]) \(pair[1])")
        }
        return merges
    }

    /// What is before and behind the first space: by bytes, as a mark that combines makes one character of
    /// the space and itself.
    static func halves(of merge: String) -> [String] {
        merge.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1).compactMap(String.init)
    }
}
