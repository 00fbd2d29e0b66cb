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

    @Test(arguments: [
        ("llama-first", "llama-first"), ("sentencepiece", "llama-first"),
        ("llama-each", "llama-each"),
        ("llama-always", "llama-always"), ("sentencepiece-marks", "llama-always"),
    ])
    func `added tokens, and a space before what is to have one`(
        name: String,
        reference: String
    ) throws {
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
            {"legacy": \(reference == "llama-always"), "eos_token": "<|im_end|>", "added_tokens_decoder": {
                "1500": {"content": "<|im_start|>", "special": true},
                "1501": {"content": "<|im_end|>", "special": true}}}
            """
        try Data(configuration.utf8)
            .write(to: URL(fileURLWithPath: folder.file("tokenizer_config.json")))
        let tokenizer = Tokenizer(vocabulary: try vocabulary(folder.path))
        #expect(tokenizer.endOfText == 1501)
        for example in try TokenizerFixture.cases(path: "\(Self.folder)/\(reference)/cases.bin") {
            let text = String(decoding: example.text, as: UTF8.self)
            #expect(tokenizer.encode(example.text) == example.plain, "\(text.debugDescription)")
            #expect(
                tokenizer.encode(example.text, parsingSpecial: true) == example.parsed,
                "\(text.debugDescription)"
            )
        }
    }

    /// One case of post_processors.json.
    private struct PostProcessorCase: Decodable {
        let text: String
        let ids: [Int]
    }

    @Test
    func `what a post-processor puts before a text begins it, what it puts elsewhere is refused`()
        throws
    {
        let data = try Data(
            contentsOf: URL(fileURLWithPath: "\(Self.folder)/post_processors.json")
        )
        let cases = try JSONDecoder().decode([PostProcessorCase].self, from: data)
        let objects = try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
        let path = "\(Self.folder)/falcon/tokenizer.json"
        let file = try JSONSerialization.jsonObject(
            with: try Data(contentsOf: URL(fileURLWithPath: path))
        )
        var settings = try #require(file as? [String: Any])
        let plain = cases[0].ids
        var refused = 0
        for (example, object) in zip(cases, objects) {
            let folder = try TemporaryFolder()
            settings["post_processor"] = object["post_processor"]
            try JSONSerialization.data(withJSONObject: settings)
                .write(to: URL(fileURLWithPath: folder.file("tokenizer.json")))
            // One token before the text, if any, and nothing else.
            let before = example.ids.dropLast(plain.count)
            guard before.count <= 1, example.ids.dropFirst(before.count) == plain[...] else {
                let error = #expect(throws: ConversionError.self) { try vocabulary(folder.path) }
                let message = error?.description ?? ""
                #expect(message.contains("tokenizer.json: 'post_processor."), "\(message)")
                refused += 1
                continue
            }
            let tokenizer = Tokenizer(vocabulary: try vocabulary(folder.path))
            let start = tokenizer.start.map { [$0] } ?? []
            #expect(start + tokenizer.encode(Array(example.text.utf8)) == example.ids)
        }
        #expect(refused == 5)
        #expect(Set(cases.map(\.ids)).count == 7)
    }

    @Test
    func `a token that no merge makes is not made`() throws {
        let folder = try TemporaryFolder()
        let mark = ",{\"id\":4,\"content\":\"\u{2581}\u{2581}\""
        let path = "\(Self.folder)/llama-json/tokenizer.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        // An id that another added token has as well.
        try text.replacingOccurrences(of: mark, with: ",{\"id\":3,\"content\":\"<image>\"")
            .write(toFile: folder.file("tokenizer.json"), atomically: true, encoding: .utf8)
        let vocabulary = try vocabulary(folder.path)
        #expect(vocabulary.type(of: 4) == .normal)
        // As tokenizers 0.23 has it.
        let pieces = Tokenizer(vocabulary: vocabulary).encode("a  b").map(vocabulary.piece)
        #expect(pieces == [" a", " ", " b"])
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
        for (name, old, new, expected) in [
            ("falcon", "\"Digits\"", "\"Sequence\"", "Punctuation, ByteLevel, Sequence, Split"),
            (
                "falcon", "\"BPE\"", "\"WordPiece\"",
                "'model.type' should be 'BPE', is 'WordPiece'"
            ),
            (
                "falcon", "\"normalizer\":null", "\"normalizer\":{\"type\":\"NFKC\"}",
                "should be null or NFC"
            ),
            ("llama-json", "\"content\":\"\u{2581}\"", "\"content\":\"_\"", "spaces replaced by"),
            ("llama-json", "\"prepend\":\"\u{2581}\"", "\"prepend\":\"_\"", "spaces replaced by"),
            ("llama-each", "\"replacement\":\"\u{2581}\"", "\"replacement\":\"_\"", "spaces"),
        ] {
            let path = "\(Self.folder)/\(name)/tokenizer.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try text.replacingOccurrences(of: old, with: new)
                .write(toFile: folder.file("tokenizer.json"), atomically: true, encoding: .utf8)
            let error = #expect(throws: ConversionError.self) { try vocabulary(folder.path) }
            #expect(error?.description.contains(expected) ?? false, "\(String(describing: error))")
        }
    }
}
