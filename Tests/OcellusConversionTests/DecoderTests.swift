// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusConversion
import OcellusFormat
import OcellusMemory
import ReferenceArrays
import Testing

/// Published decoders, converted and run (scripts/references/checkpoints.py).
struct DecoderTests {
    @Test(arguments: ["mamba", "mamba2", "mamba-hf", "mamba-sharded", "mamba2-hf", "falcon-mamba"])
    func `a converted decoder computes what its library computes`(name: String) throws {
        let folder = try TemporaryFolder()
        try convert(Fixture(name).path, to: folder.path)
        for chunkLength in [1, 7, 64] {
            let options = SessionOptions(threadCount: 2, chunkLength: chunkLength)
            var session = try Session(Model(path: folder.path, options: options))
            let tokens = try Fixture(name).array("tokens").elements.map { Int($0) }
            let logits = session.traceTokens(tokens)
            let state = session.traceState()
            try expectClose(logits, Fixture(name).array("logits"))
            try expectClose(state.history, Fixture(name).array("conv_state"))
            try expectClose(state.h, Fixture(name).array("ssm_state"))
        }
    }

    /// state-spaces publishes Hugging Face's layout with the keys of the original beside it.
    @Test
    func `beside hidden_size the keys of the original layout do not count`() throws {
        let source = try PublishedFolder("mamba-hf")
        try source.replaceOnce(
            "{",
            by: "{\"d_model\": 32, \"n_layer\": 2, \"ssm_cfg\": {}, \"norm_epsilon\": 0.5, ",
            in: "config.json"
        )
        let folder = try TemporaryFolder()
        try convert(source.path, to: folder.path)
        let file = try ModelFile(path: folder.file("decoder.gguf"))
        #expect(try file.float("mamba.attention.layer_norm_rms_epsilon") == 1e-5)
    }

    @Test
    func `matrices get the type that was asked for, all else is F32`() throws {
        let folder = try TemporaryFolder()
        var options = ConversionOptions()
        options.type = .q8_0
        options.license = "test-1.0"
        options.origin = "https://example.org/mamba"
        try convert(Fixture("mamba-hf").path, to: folder.path, options)
        let file = try ModelFile(path: folder.file("decoder.gguf"))
        let types = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.type.name) })
        #expect(types["token_embd.weight"] == "Q8_0")
        #expect(types["blk.0.ssm_in.weight"] == "Q8_0")
        #expect(types["blk.0.ssm_dt.weight"] == "F16", "rows of two")
        #expect(types["blk.0.ssm_a"] == "F32")
        #expect(types["blk.0.ssm_conv1d.weight"] == "F32")
        #expect(types["output.weight"] == nil, "tied")
        let (license, origin, name) = try (
            file.string("general.license"), file.string("general.source.url"),
            file.string("general.name")
        )
        #expect(
            license == "test-1.0" && origin == "https://example.org/mamba" && name == "mamba-hf"
        )
    }
}
