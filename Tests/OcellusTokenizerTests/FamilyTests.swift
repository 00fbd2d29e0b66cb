// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusFormat
import OcellusTokenizer
import Testing

@testable import OcellusConversion

/// Tokenizers as libraries save them (scripts/references/tokenizer_families.py), stored in a model file,
/// read back, and compared line by line.
struct FamilyTests {
    private static let folder = TokenizerFixture.folder + "s"

    /// A folder of its own for each test, removed with it.
    private final class TemporaryFolder {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "ocellus-tokenizers-\(UUID().uuidString)").path

        init() throws {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true
            )
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func file(_ name: String) -> String { "\(path)/\(name)" }
    }

    /// The vocabulary of a file that has the tokenizer's keys and nothing else.
    private func vocabulary(_ path: String, rowCount: Int = 1600) throws -> Vocabulary {
        let temporary = try TemporaryFolder()
        var description = FileDescription(fileName: "decoder.gguf", architecture: "mamba")
        try TokenizerSource.addTokenizer(path: path, to: &description, rowCount: rowCount)
        var header = ModelHeader(architecture: "mamba")
        for (key, value) in description.metadata { header.add(key, value) }
        try ModelFileWriter(path: temporary.file("decoder.gguf"), header: header).finish()
        return try Vocabulary(file: ModelFile(path: temporary.file("decoder.gguf")))
    }

    @Test(arguments: [
        ("falcon", "falcon"), ("tekken", "tekken"), ("sentencepiece", "sentencepiece"),
        ("llama-json", "sentencepiece"),
    ])
    func `the same ids for every line`(name: String, reference: String) throws {
        let tokenizer = Tokenizer(vocabulary: try vocabulary("\(Self.folder)/\(name)"))
        let cases = try TokenizerFixture.cases(path: "\(Self.folder)/\(reference)/cases.bin")
        #expect(cases.count > 2500)
        for example in cases {
            let text = String(decoding: example.text, as: UTF8.self)
            #expect(tokenizer.encode(example.text) == example.plain, "\(text.debugDescription)")
            #expect(
                tokenizer.encode(example.text, parsingSpecial: true) == example.parsed,
                "\(text.debugDescription)"
            )
        }
    }

    @Test(arguments: ["llama-first", "sentencepiece"])
    func `added tokens, and a space at the first place only`(name: String) throws {
        let folder = try TemporaryFolder()
        for file in try FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/\(name)") {
            try FileManager.default.copyItem(
                atPath: "\(Self.folder)/\(name)/\(file)",
                toPath: folder.file(file)
            )
        }
        // What the second has of the first beside its vocabulary.
        try Data(#"{"<|im_start|>": 1500, "<|im_end|>": 1501}"#.utf8)
            .write(to: URL(fileURLWithPath: folder.file("added_tokens.json")))
        let configuration = """
            {"legacy": false, "eos_token": "<|im_end|>", "added_tokens_decoder": {
                "1500": {"content": "<|im_start|>", "special": true},
                "1501": {"content": "<|im_end|>", "special": true}}}
            """
        try Data(configuration.utf8)
            .write(to: URL(fileURLWithPath: folder.file("tokenizer_config.json")))
        let tokenizer = Tokenizer(vocabulary: try vocabulary(folder.path))
        #expect(tokenizer.endOfText == 1501)
        for example in try TokenizerFixture.cases(path: "\(Self.folder)/llama-first/cases.bin") {
            let text = String(decoding: example.text, as: UTF8.self)
            #expect(tokenizer.encode(example.text) == example.plain, "\(text.debugDescription)")
            #expect(
                tokenizer.encode(example.text, parsingSpecial: true) == example.parsed,
                "\(text.debugDescription)"
            )
        }
    }

    @Test func `a space before each text between special tokens`() throws {
        let tokenizer = Tokenizer(vocabulary: try vocabulary("\(Self.folder)/llama-always"))
        for example in try TokenizerFixture.cases(path: "\(Self.folder)/llama-always/cases.bin") {
            #expect(
                tokenizer.encode(example.text, parsingSpecial: true) == example.parsed,
                "\(String(decoding: example.text, as: UTF8.self).debugDescription)"
            )
        }
    }

    @Test(arguments: ["falcon", "tekken", "sentencepiece"])
    func `tokens become the text again`(name: String) throws {
        let vocabulary = try vocabulary("\(Self.folder)/\(name)")
        let tokenizer = Tokenizer(vocabulary: vocabulary)
        for example in try TokenizerFixture.cases(path: "\(Self.folder)/\(name)/cases.bin") {
            let text = String(decoding: example.text, as: UTF8.self)
            var detokenizer = Detokenizer(vocabulary)
            var output: [UInt8] = []
            for token in tokenizer.encode(text, isContinuation: true) {
                detokenizer.append(token, to: &output)
            }
            detokenizer.finish(to: &output)
            #expect(output == Array(text.utf8), "\(text.debugDescription)")
        }
    }

    @Test
    func `damaged SentencePiece models are refused or read, never trapped on`() throws {
        let folder = try TemporaryFolder()
        let path = "\(Self.folder)/sentencepiece/tokenizer.model"
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        for position in stride(from: 0, to: data.count, by: 307) {
            var changed = data
            changed[position] ^= UInt8(1 << (position / 307 % 8))
            try changed.write(to: URL(fileURLWithPath: folder.file("tokenizer.model")))
            _ = try? vocabulary(folder.path)
            try data.prefix(position).write(
                to: URL(fileURLWithPath: folder.file("tokenizer.model"))
            )
            _ = try? vocabulary(folder.path)
        }
    }

    @Test
    func `a kind of tokenizer that is not known is named`() throws {
        let folder = try TemporaryFolder()
        for (old, new, expected) in [
            ("\"Digits\"", "\"Sequence\"", "Punctuation, ByteLevel, Sequence, Split"),
            ("\"BPE\"", "\"WordPiece\"", "'model.type' should be 'BPE', is 'WordPiece'"),
            ("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFKC\"}", "should be null or NFC"),
        ] {
            let path = "\(Self.folder)/falcon/tokenizer.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try text.replacingOccurrences(of: old, with: new)
                .write(toFile: folder.file("tokenizer.json"), atomically: true, encoding: .utf8)
            let error = #expect(throws: ConversionError.self) { try vocabulary(folder.path) }
            #expect(error?.description.contains(expected) ?? false, "\(String(describing: error))")
        }
    }
}
