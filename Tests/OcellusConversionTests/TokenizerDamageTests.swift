// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import OcellusFormat
import Testing

/// Files of a tokenizer with values that they may not have: each is refused with its name, the key, what was
/// expected and what was found.
struct TokenizerDamageTests {
    @Test(arguments: [
        ("tokenizer_config.json", #"{"eos_token": 5}"#, "'eos_token' should be a text, is 5"),
        (
            "tokenizer_config.json", #"{"bos_token": {"content": true}}"#,
            "'bos_token.content' should be a text, is true"
        ),
        (
            "tokenizer_config.json", #"{"add_bos_token": "yes"}"#,
            "'add_bos_token' should be true or false, is 'yes'"
        ),
        (
            "tokenizer_config.json", #"{"legacy": 1}"#,
            "'legacy' should be true or false, is 1"
        ),
        (
            "tokenizer_config.json", #"{"chat_template": 7}"#,
            "'chat_template' should be a text, is 7"
        ),
        (
            "tokenizer_config.json", #"["eos_token"]"#,
            "should hold an object of keys and values, holds a list of 1"
        ),
        (
            "special_tokens_map.json", #"{"eos_token": []}"#,
            "'eos_token' should be a text, is a list of 0"
        ),
        (
            "generation_config.json", #"{"eos_token_id": "2"}"#,
            "'eos_token_id' should be an id or a list of ids, is '2'"
        ),
        (
            "generation_config.json", #"{"eos_token_id": [0, 1.5]}"#,
            "'eos_token_id' should be an id or a list of ids, is a list of 2"
        ),
    ])
    func `a value of another type is told`(file: String, text: String, expected: String) throws {
        let folder = try PublishedFolder("mamba-hf")
        try folder.write(Data(text.utf8), to: file)
        let message = try refusal(of: folder)
        #expect(message.contains("\(file): \(expected)"), "\(message)")
    }

    @Test(arguments: [
        ("{}", "'added_tokens' should be a list, is an object of 0 keys"),
        ("[7]", "'added_tokens.0' should be an object, is 7"),
        (
            #"[{"content": "a", "id": 16000000}]"#,
            "'added_tokens.0.id' should be an id from 0 to 287 (a row of the model's embedding; is the "
                + "tokenizer that of another model?), is 16000000"
        ),
        (#"[{"content": 1, "id": 1}]"#, "'added_tokens.0.content' should be a text, is 1"),
        (
            #"[{"content": "<a>", "id": 5}, {"content": "<b>", "id": 5}]"#,
            "'added_tokens.1.content' should be '<a>', which the id 5 stands for already, is '<b>'"
        ),
    ])
    func `tokens that are added have a text and a row`(list: String, expected: String) throws {
        let folder = try PublishedFolder("mamba-hf")
        let other = "\"added_tokens\": \(list), \"unused\""
        try folder.replaceOnce("\"added_tokens\"", by: other, in: "tokenizer.json")
        let message = try refusal(of: folder)
        #expect(message.contains("tokenizer.json: \(expected)"), "\(message)")
    }

    @Test(arguments: [
        (
            #"[["h", "e"], ["qq", "h"]]"#,
            "'model.merges.1' should be two tokens that make a third; 'model.vocab' has no 'qq', is 'qq h'"
        ),
        (#"["h qq"]"#, "'model.vocab' has no 'qq', is 'h qq'"),
        (#"[["h", "z"]]"#, "'model.vocab' has no 'hz', is 'h z'"),
        (#"["h"]"#, "'model.merges.0' should be two tokens, is 'h'"),
        (#"[["h", "e", "r"]]"#, "'model.merges.0' should be two tokens, is a list of 3"),
        (#"[["h", 7]]"#, "'model.merges.0' should be two tokens, is a list of 2"),
    ])
    func `merges are of tokens that the vocabulary has`(
        list: String,
        expected: String
    ) throws {
        let folder = try PublishedFolder("mamba-hf")
        let other = "\"merges\": \(list), \"unused\""
        try folder.replaceOnce("\"merges\"", by: other, in: "tokenizer.json")
        let message = try refusal(of: folder)
        #expect(message.contains("tokenizer.json: "), "\(message)")
        #expect(message.contains(expected), "\(message)")
    }

    /// As tokenizers wrote merges before 0.20.
    @Test
    func `a half of a merge may begin with a mark that combines`() throws {
        let folder = try PublishedFolder("mamba-hf")
        let tokens = "\"vocab\": {\"\u{301}\": 286, \"h\u{301}\": 287, "
        try folder.replaceOnce("\"vocab\": {", by: tokens, in: "tokenizer.json")
        let merges = "\"merges\": [\"h \u{301}\"], \"unused\""
        try folder.replaceOnce("\"merges\"", by: merges, in: "tokenizer.json")
        let out = try TemporaryFolder()
        try convert(folder.path, to: out.path)
        let file = try ModelFile(path: out.file("decoder.gguf"))
        #expect(try file.strings("tokenizer.ggml.merges") == ["h \u{301}"])
    }

    /// As newer tokenizers say it, of which the merges make every token all the same.
    @Test
    func `merges may be ignored where they make every token`() throws {
        let folder = try PublishedFolder("mamba-hf")
        try folder.replaceOnce(
            "\"ignore_merges\": false",
            by: "\"ignore_merges\": true",
            in: "tokenizer.json"
        )
        let out = try TemporaryFolder()
        try convert(folder.path, to: out.path)
        #expect(out.names == ["decoder.gguf"])
        try folder.replaceOnce("\"vocab\": {", by: "\"vocab\": {\"hx\": 287,", in: "tokenizer.json")
        let message = try refusal(of: folder)
        let expected =
            "'model.ignore_merges' should be false, as no merges make 'hx' of its characters, is true"
        #expect(message.contains(expected), "\(message)")
    }

    @Test(arguments: [
        ("\"lstrip\": false", "'added_tokens.0.lstrip' should be false, is true"),
        ("\"rstrip\": false", "'added_tokens.0.rstrip' should be false, is true"),
        ("\"single_word\": false", "'added_tokens.0.single_word' should be false, is true"),
        (
            "\"continuing_subword_prefix\": null",
            "'model.continuing_subword_prefix' should be a text, is true"
        ),
    ])
    func `what would change tokens and is not computed`(text: String, expected: String) throws {
        let key = text.split(separator: ":")[0]
        try expectRefusal(
            expected,
            of: "mamba-hf",
            replacing: text,
            by: "\(key): true",
            in: "tokenizer.json"
        )
    }

    /// Fields of Protocol Buffers: a piece (1) with a text (1) or a type (3).
    @Test(
        arguments: [
            ([], "it has no pieces"), ([0x0A, 3, 0x0A, 1, 0xFF], "the piece 0 is not UTF-8"),
            ([0x0A, 0, 0x0A, 2, 0x18, 9], "the piece 1 has the type 9"),
            ([0x0A, 9], "a field without an end at byte 5"),
        ] as [([UInt8], String)]
    )
    func `pieces of SentencePiece`(bytes: [UInt8], expected: String) throws {
        let folder = try PublishedFolder("mamba-hf")
        try folder.write(Data([0x98, 0x06, 1] + bytes), to: "tokenizer.model")
        let message = try refusal(of: folder)
        let suffix = "/tokenizer.model: no SentencePiece model: \(expected)"
        #expect(message.contains(suffix), "\(message)")
    }

    @Test(arguments: [
        ("added_tokens.json", "[1]", "should hold an object of keys and values, holds a list of 1"),
        ("added_tokens.json", #"{"<a>": "7"}"#, "'<a>' should be an id from 0 to 287 ("),
        ("added_tokens.json", #"{"<a>": 16000000}"#, "another model?), is 16000000"),
        (
            "tokenizer_config.json", #"{"added_tokens_decoder": {"1e2": {"content": "<a>"}}}"#,
            "'added_tokens_decoder.1e2' should be an id from 0 to 287 ("
        ),
        (
            "tokenizer_config.json", #"{"added_tokens_decoder": {"07": {"content": "<a>"}}}"#,
            "another model?), is '07'"
        ),
        (
            "tokenizer_config.json", #"{"added_tokens_decoder": {"7": 3}}"#,
            "'added_tokens_decoder.7' should be an object, is 3"
        ),
        (
            "tokenizer_config.json", #"{"added_tokens_decoder": []}"#,
            "'added_tokens_decoder' should be an object, is a list of 0"
        ),
        (
            "added_tokens.json", #"{"<a>": 7, "<b>": 7}"#,
            "'<b>' should be '<a>', which the id 7 stands for already, is '<b>'"
        ),
        (
            "tokenizer_config.json", #"{"added_tokens_decoder": {"0": {"content": "<a>"}}}"#,
            "'added_tokens_decoder.0.content' should be '<|endoftext|>', which the id 0 stands for"
        ),
    ])
    func `tokens beside a SentencePiece model, too`(
        file: String,
        text: String,
        expected: String
    ) throws {
        let folder = try PublishedFolder("mamba-hf")
        let model = URL(fileURLWithPath: Fixture("").path)
            .appending(path: "../tokenizers/sentencepiece/tokenizer.model")
        try folder.write(try Data(contentsOf: model), to: "tokenizer.model")
        try folder.write(Data(text.utf8), to: file)
        let message = try refusal(of: folder)
        #expect(message.contains("\(file): "), "\(message)")
        #expect(message.contains(expected), "\(message)")
    }
}
