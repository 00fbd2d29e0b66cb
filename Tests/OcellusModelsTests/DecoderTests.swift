// SPDX-License-Identifier: Apache-2.0
import OcellusModels
import ReferenceArrays
import Testing

/// Mamba-1 and Mamba-2 against `transformers` (scripts/references/decoders.py).
struct DecoderTests {
    static let fixtures = [
        "mamba-odd", "mamba-untied", "mamba-f16", "mamba-bf16", "mamba-q8_0", "mamba-q4_0",
        "mamba-q4_1", "mamba-q5_0", "mamba-q4_k", "mamba-q6_k", "mamba2-heads24", "mamba2-groups",
        "mamba2-f16", "mamba2-q8_0", "mamba2-q4_0", "mamba2-q5_1", "mamba2-q5_k",
    ].map { Fixture(name: $0) }

    /// Files that llama.cpp's own converter wrote (scripts/references/llama_files.py).
    static let converted = ["llama-mamba", "llama-mamba2"].map { Fixture(name: $0) }

    private static func tokens(_ fixture: Fixture) throws -> [Int] {
        try fixture.array("tokens").elements.map { Int($0) }
    }

    @Test(arguments: fixtures + converted)
    func `logits and states are those of transformers`(fixture: Fixture) throws {
        let run = try DecoderRun(fixture)
        let tolerance = fixture.tolerance
        let logits = run.read(try Self.tokens(fixture))
        expectClose(logits, try fixture.array("logits").elements, within: tolerance, "logits")
        expectClose(
            run.histories,
            try fixture.array("conv_state").elements,
            within: tolerance,
            "conv_state"
        )
        expectClose(
            run.hiddenStates,
            try fixture.array("ssm_state").elements,
            within: tolerance,
            "ssm_state"
        )
    }

    @Test(arguments: fixtures)
    func `chunks of any length give the same logits and states`(fixture: Fixture) throws {
        let tokens = try Self.tokens(fixture)
        let whole = try DecoderRun(fixture)
        let expected = whole.read(tokens)
        let tolerance = fixture.summationTolerance
        func check(_ run: DecoderRun, _ logits: [Float], _ name: String) {
            expectClose(logits, expected, within: tolerance, "logits, \(name)")
            expectClose(
                run.histories,
                whole.histories,
                within: tolerance,
                "conv_state, \(name)"
            )
            expectClose(
                run.hiddenStates,
                whole.hiddenStates,
                within: tolerance,
                "ssm_state, \(name)"
            )
        }
        for length in [1, 2, 3, 5, 16, 36] {
            let run = try DecoderRun(fixture, chunkLength: length)
            check(run, run.read(tokens), "chunks of \(length)")
        }
        let run = try DecoderRun(fixture)
        check(run, run.readStepByStep(tokens), "steps")
    }

    @Test(arguments: fixtures)
    func `tokens and their embeddings end alike, in one call or chunk by chunk`(
        fixture: Fixture
    ) throws {
        let tokens = try Self.tokens(fixture)
        let all = try DecoderRun(fixture, chunkLength: 7).read(tokens)
        let expected = Array(all.suffix(all.count / tokens.count))
        #expect(try DecoderRun(fixture, chunkLength: 7).prefill(tokens) == expected)
        #expect(
            try DecoderRun(fixture, chunkLength: 7).prefillEmbeddings(of: tokens) == expected
        )
    }

    @Test(arguments: fixtures)
    func `any count of threads gives the same bits`(fixture: Fixture) throws {
        let tokens = try Self.tokens(fixture)
        let single = try DecoderRun(fixture)
        let expected = single.read(tokens)
        for threadCount in [2, 3, 5] {
            let run = try DecoderRun(fixture, threadCount: threadCount)
            #expect(run.read(tokens) == expected, "\(threadCount) threads")
            #expect(run.hiddenStates == single.hiddenStates, "\(threadCount) threads")
        }
    }

    @Test(arguments: fixtures)
    func `a reset state has forgotten everything`(fixture: Fixture) throws {
        let tokens = try Self.tokens(fixture)
        let run = try DecoderRun(fixture)
        let expected = run.read(tokens)
        #expect(run.read(tokens) != expected)
        run.state.reset()
        #expect(run.read(tokens) == expected)
    }

    @Test(arguments: fixtures)
    func `greedy text and logits are those of llama.cpp`(fixture: Fixture) throws {
        try checkAgainstPeer(
            DecoderRun(fixture),
            prompt: Self.tokens(fixture),
            fixture,
            // Where llama.cpp rounds, the better of two close tokens is chance.
            slack: fixture.isRoundedByPeer ? 0.2 : 0
        )
    }

    @Test
    func `greedy text and logits of the shipped decoder are those of llama.cpp`() throws {
        let shipped = Fixture(name: "ommatidium")
        let prompt = try ReferenceArray(path: shipped.path("prompt.npy", under: "llama.cpp"))
        let path = shipped.path("decoder.gguf", under: "../../models")
        try checkAgainstPeer(
            DecoderRun(path: path, chunkLength: 64, threadCount: 1),
            prompt: prompt.elements.map { Int($0) },
            shipped,
            slack: 0
        )
    }

    /// Continues a prompt as llama.cpp did.
    private func checkAgainstPeer(
        _ run: DecoderRun,
        prompt: [Int],
        _ fixture: Fixture,
        slack: Float
    ) throws {
        func recorded(_ name: String) throws -> ReferenceArray {
            try ReferenceArray(path: fixture.path(name + ".npy", under: "llama.cpp"))
        }
        let tokens = try recorded("tokens").elements.map { Int($0) }
        let margins = try recorded("margins").elements
        let expected = try recorded("logits")
        var logits = run.prefill(prompt)
        var first: [Float] = []
        for (index, token) in tokens.enumerated() {
            let best = logits.indices.max { logits[$0] < logits[$1] }
            #expect(best == token || margins[index] < slack, "token \(index)")
            if index < expected.shape[0] { first += logits }
            logits = run.readStepByStep([token])
        }
        if fixture.isRoundedByPeer {
            expectClose(first, expected.elements, within: 2e-2, "logits")
        } else {
            let error = zip(first, expected.elements).map { abs($0 - $1) }.max() ?? .infinity
            #expect(first.count == expected.elements.count && error <= 1e-2, "\(error)")
        }
    }
}
