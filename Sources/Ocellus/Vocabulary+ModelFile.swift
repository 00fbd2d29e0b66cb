// SPDX-License-Identifier: Apache-2.0
public import OcellusFormat
import OcellusModels
public import OcellusTokenizer

extension Vocabulary {
    /// The pre-tokenisers of `tokenizer.ggml.pre` that cut text by GPT-2's expression, as GPT-NeoX
    /// does.
    private static let preTokenizers = ["gpt-2", "gpt2", "mpt", "olmo", "jais", "default"]

    /// Reads the vocabulary of a decoder file.
    ///
    /// - Throws: `OcellusError.model` for missing keys or a tokenizer of another kind, `.tokenizer`
    ///   for a bad vocabulary.
    public init(file: borrowing ModelFile) throws(OcellusError) {
        let (kind, preTokenizer, addsStart) = try fromFile { () throws(ModelFileError) in
            (
                try file.string("tokenizer.ggml.model"),
                try file.string("tokenizer.ggml.pre", default: "gpt-2"),
                try file.bool("tokenizer.ggml.add_bos_token", default: false)
            )
        }
        guard kind == "gpt2", Self.preTokenizers.contains(preTokenizer), !addsStart else {
            throw .model(
                .unsupported(
                    path: file.path,
                    what: "tokenizer '\(kind)', pre-tokenizer '\(preTokenizer)'"
                        + (addsStart ? " with a start token" : "")
                        + "; this version has the byte-level BPE of GPT-NeoX"
                )
            )
        }
        let (tokens, types, merges, end) = try fromFile { () throws(ModelFileError) in
            (
                try file.strings("tokenizer.ggml.tokens"),
                try file.ints("tokenizer.ggml.token_type"),
                try file.strings("tokenizer.ggml.merges"),
                try file.int("tokenizer.ggml.eos_token_id")
            )
        }
        do {
            self = try Vocabulary(tokens: tokens, types: types, merges: merges, endOfText: end)
        } catch {
            throw .tokenizer(path: file.path, error)
        }
    }
}
