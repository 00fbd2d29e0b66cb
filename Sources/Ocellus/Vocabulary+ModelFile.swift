// SPDX-License-Identifier: Apache-2.0
public import OcellusFormat
import OcellusModels
public import OcellusTokenizer

extension Vocabulary {
    /// Reads the vocabulary of a decoder file, as llama.cpp writes it.
    ///
    /// - Throws: `OcellusError.model` for missing keys or a tokenizer of another kind, `.tokenizer`
    ///   for a bad vocabulary.
    public init(file: borrowing ModelFile) throws(OcellusError) {
        let kind = try fromFile { () throws(ModelFileError) in
            try file.string("tokenizer.ggml.model")
        }
        let (tokens, types, end, start) = try fromFile { () throws(ModelFileError) in
            let addsStart = try file.bool(
                "tokenizer.ggml.add_bos_token",
                default: kind == "llama"
            )
            return (
                try file.strings("tokenizer.ggml.tokens"),
                try file.ints("tokenizer.ggml.token_type"),
                try file.int("tokenizer.ggml.eos_token_id"),
                addsStart ? try file.int("tokenizer.ggml.bos_token_id") : nil
            )
        }
        // llama.cpp's keys for the end of a turn and that of a message.
        var otherEnds: [Int] = []
        for key in ["tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"]
        where file.contains(key) {
            otherEnds.append(try fromFile { () throws(ModelFileError) in try file.int(key) })
        }
        switch kind {
        case "gpt2":
            let (style, composes) = try Self.style(of: file)
            let (merges, normalizes) = try fromFile { () throws(ModelFileError) in
                (
                    try file.strings("tokenizer.ggml.merges"),
                    // llama.cpp has no key for it.
                    try file.bool("ocellus.tokenizer.normalize", default: composes)
                )
            }
            self = try checked(file.path) { () throws(TokenizerError) in
                try Vocabulary(
                    tokens: tokens,
                    types: types,
                    merges: merges,
                    endOfText: end,
                    otherEnds: otherEnds,
                    start: start,
                    style: style,
                    normalizes: normalizes
                )
            }
        case "llama":
            let scores = try fromFile { () throws(ModelFileError) in
                try file.floats("tokenizer.ggml.scores")
            }
            let spacePrefix = try Self.spacePrefix(of: file)
            self = try checked(file.path) { () throws(TokenizerError) in
                try Vocabulary(
                    pieces: tokens,
                    types: types,
                    scores: scores,
                    endOfText: end,
                    otherEnds: otherEnds,
                    start: start,
                    spacePrefix: spacePrefix
                )
            }
        default:
            throw .model(
                .unsupported(
                    path: file.path,
                    what:
                        "tokenizer '\(kind)'; this version has 'gpt2' (byte-level BPE) and 'llama' "
                        + "(SentencePiece's BPE)"
                )
            )
        }
    }

    /// When a text gets a space before it: llama.cpp's key knows of always and never.
    private static func spacePrefix(
        of file: borrowing ModelFile
    ) throws(OcellusError) -> TokenizerKind.SpacePrefix {
        let key = "ocellus.tokenizer.space_prefix"
        let name = try fromFile { () throws(ModelFileError) in
            let isAlways = try file.bool("tokenizer.ggml.add_space_prefix", default: true)
            return try file.string(key, default: isAlways ? "always" : "never")
        }
        switch name {
        case "always": return .always
        case "each": return .each
        case "first": return .first
        case "never": return .never
        default:
            throw .model(.unsupported(path: file.path, what: "\(key) is '\(name)'"))
        }
    }

    /// How the words of a byte-level vocabulary are cut, and whether the tokenizer of that name brings
    /// texts to normal form C before: GPT-2's does not, GPT-NeoX's, which MPT and OLMo have, does.
    private static func style(
        of file: borrowing ModelFile
    ) throws(OcellusError) -> (TokenizerKind.WordStyle, composes: Bool) {
        let name = try fromFile { () throws(ModelFileError) in
            try file.string("tokenizer.ggml.pre", default: "gpt-2")
        }
        switch name {
        case "mpt", "olmo": return (.gpt2, true)
        case "gpt-2", "gpt2", "jais", "default": return (.gpt2, false)
        case "falcon": return (.falcon, false)
        case "tekken": return (.tekken, false)
        default:
            throw .model(
                .unsupported(
                    path: file.path,
                    what: "pre-tokenizer '\(name)'; this version has those of GPT-NeoX, Falcon and "
                        + "Tekken"
                )
            )
        }
    }
}

/// Makes a vocabulary and passes its error on as an `OcellusError`.
private func checked(
    _ path: String,
    _ body: () throws(TokenizerError) -> Vocabulary
) throws(OcellusError) -> Vocabulary {
    do {
        return try body()
    } catch {
        throw .tokenizer(path: path, error)
    }
}
