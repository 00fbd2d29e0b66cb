// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusFormat
import Testing

/// Model files that are well formed and describe no usable model are refused, never a trap.
@Suite struct AlteredModelTests {
    /// Opens the shipped decoder with some keys changed, or left out where the value is nil.
    @discardableResult
    private func open(_ changes: [String: MetadataValue?]) throws -> Model {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("ocellus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("decoder.gguf").path
        try rewrite(Fixture.model + "/decoder.gguf", to: path, changes)
        return try Model(path: path, options: SessionOptions())
    }

    private func rewrite(
        _ source: String,
        to path: String,
        _ changes: [String: MetadataValue?]
    ) throws {
        let file = try ModelFile(path: source)
        var header = ModelHeader(architecture: file.architecture)
        for entry in file.metadata where entry.key != "general.architecture" {
            if changes.keys.contains(entry.key) { continue }
            header.add(entry.key, try value(of: entry, in: file))
        }
        for (key, value) in changes {
            if let value { header.add(key, value) }
        }
        for tensor in file.tensors {
            header.addTensor(tensor.name, type: tensor.type, shape: tensor.shape)
        }
        var writer = try ModelFileWriter(path: path, header: header)
        for tensor in file.tensors {
            try writer.write(file.withBytes(of: tensor) { Array($0) })
        }
        try writer.finish()
    }

    private func value(
        of entry: MetadataEntry,
        in file: borrowing ModelFile
    ) throws -> MetadataValue {
        let isArray = entry.elementCount != nil
        switch entry.type {
        case .string where isArray: return .strings(try file.strings(entry.key))
        case .string: return .string(try file.string(entry.key))
        case .bool: return .bool(try file.bool(entry.key))
        case .float32: return .float32(try file.float(entry.key))
        case .int32 where isArray: return .int32s(try file.ints(entry.key).map { Int32($0) })
        default: return .uint32(UInt32(try file.int(entry.key)))
        }
    }

    /// The ids are those of tokenizers 0.23.3 with the shipped vocabulary, without and with the normaliser
    /// NFC; GPT-2's tokenizer has none, GPT-NeoX's has it.
    @Test(
        "a text is composed if the file says so, or names a tokenizer that does",
        arguments: [
            ("gpt-2", nil, false), ("olmo", nil, true), ("mpt", nil, true), ("gpt-2", true, true),
            ("olmo", false, false),
        ] as [(String, Bool?, Bool)]
    )
    func composition(style: String, key: Bool?, composes: Bool) throws {
        let model = try open([
            "tokenizer.ggml.pre": .string(style),
            "ocellus.tokenizer.normalize": key.map { .bool($0) },
        ])
        let prompt = try Session(model).prompt("cafe\u{301}")
        let inner = composes ? [291, 72, 130, 105] : [291, 72, 71, 139, 226]
        #expect(prompt.tokens == [1] + inner + [2])
    }

    @Test func theRewrittenModelItselfOpens() throws {
        try open([:])
    }

    @Test func moreTokensThanRowsOfTheEmbedding() throws {
        let file = try ModelFile(path: Fixture.model + "/decoder.gguf")
        let tokens = try file.strings("tokenizer.ggml.tokens")
        let types = try file.ints("tokenizer.ggml.token_type").map { Int32($0) }
        let added = (0..<64).map { "added\($0)" }
        #expect(throws: OcellusError.self) {
            try open([
                "tokenizer.ggml.tokens": .strings(tokens + added),
                "tokenizer.ggml.token_type": .int32s(types + added.map { _ in 1 }),
            ])
        }
    }

    @Test func aStartThatIsNoToken() throws {
        func openStartingWith(_ token: UInt32) throws {
            try open([
                "tokenizer.ggml.add_bos_token": .bool(true),
                "tokenizer.ggml.bos_token_id": .uint32(token),
            ])
        }
        try openStartingWith(0)
        #expect(throws: OcellusError.self) { try openStartingWith(100_000) }
    }

    @Test(
        "values that no model has",
        arguments: [
            ("mamba2.attention.layer_norm_rms_epsilon", MetadataValue.float32(.nan)),
            ("mamba2.attention.layer_norm_rms_epsilon", .float32(-1)),
            ("mamba2.block_count", .uint32(1_000_000)), ("mamba2.block_count", .uint32(0)),
            ("mamba2.ssm.state_size", .uint32(.max)), ("mamba2.ssm.conv_kernel", .uint32(1)),
            ("mamba2.ssm.time_step_rank", .uint32(7)), ("mamba2.ssm.group_count", .uint32(5)),
            ("tokenizer.ggml.model", .string("llama")),
            ("tokenizer.ggml.pre", .string("llama-bpe")),
            ("tokenizer.ggml.eos_token_id", .uint32(100_000)),
            ("ocellus.prompt.question", .string("no place for the question")),
        ]
    )
    func impossibleValue(key: String, value: MetadataValue) {
        #expect(throws: OcellusError.self) { try open([key: value]) }
    }

    @Test(
        "keys that every model has",
        arguments: [
            "mamba2.block_count", "tokenizer.ggml.model", "tokenizer.ggml.tokens",
            "tokenizer.ggml.eos_token_id",
        ]
    )
    func missingKey(key: String) {
        #expect(throws: OcellusError.self) { try open([key: nil]) }
    }
}
