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

    /// Those whose weights can be packed.
    static let packable = fixtures.filter { $0.name.hasSuffix("q8_0") || $0.name.hasSuffix("q4_0") }

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
        let single = try DecoderRun(fixture, chunkLength: 1)
        let expected = single.read(tokens)
        func check(_ run: DecoderRun, _ logits: [Float], _ name: String, _ tolerance: Float) {
            expectClose(logits, expected, within: tolerance, "logits, \(name)")
            expectClose(
                run.histories,
                single.histories,
                within: tolerance,
                "conv_state, \(name)"
            )
            expectClose(
                run.hiddenStates,
                single.hiddenStates,
                within: tolerance,
                "ssm_state, \(name)"
            )
        }
        for length in [2, 3, 5, 16] {
            let run = try DecoderRun(fixture, chunkLength: length)
            check(run, run.read(tokens), "chunks of \(length)", fixture.summationTolerance)
        }
        for length in [24, 36] {
            let run = try DecoderRun(fixture, chunkLength: length)
            check(run, run.read(tokens), "chunks of \(length)", fixture.chunkedScanTolerance)
        }
        let run = try DecoderRun(fixture)
        check(run, run.readStepByStep(tokens), "steps", fixture.summationTolerance)
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
    func `greedy text is that of llama.cpp, and logits are as close to exact ones`(
        fixture: Fixture
    ) throws {
        try expectPeersText(DecoderRun(fixture), fixture)
    }

    @Test(arguments: packable)
    func `packed weights give the text of llama.cpp too`(fixture: Fixture) throws {
        try withPacked(fixture, "decoder.gguf") { path in
            try expectPeersText(
                DecoderRun(path: path, chunkLength: 64, threadCount: 1),
                fixture
            )
            // The blocks are the same, so the logits are, but for the order of the sums of few tokens: it
            // can push an activation to the next int8.
            let tokens = try Self.tokens(fixture)
            for threadCount in 1...2 {
                let run = try DecoderRun(path: path, chunkLength: 16, threadCount: threadCount)
                let plain = try DecoderRun(fixture, chunkLength: 16)
                expectClose(
                    run.read(tokens),
                    plain.read(tokens),
                    within: 1e-2,
                    "packed"
                )
                expectClose(
                    run.readStepByStep(tokens),
                    plain.readStepByStep(tokens),
                    within: 1e-2,
                    "packed, steps"
                )
            }
        }
    }

    @Test
    func `what the shipped decoder expects in a conversation is what llama.cpp expects`() throws {
        let shipped = Fixture(name: "ommatidium")
        let conversation = try Self.recorded("prompts", shipped).elements.map { Int($0) }
        let path = shipped.path("decoder.gguf", under: "../../models")
        let run = try DecoderRun(path: path, chunkLength: 64, threadCount: 1)
        let logits = conversation.dropLast().map { run.readStepByStep([$0]) }
        let expected = try Self.recorded("tokens", shipped).elements.map { Int($0) }
        #expect(logits.map(Self.best) == expected)
        try expectExact(Array(logits.suffix(8).joined()), shipped)
    }

    private static func recorded(_ name: String, _ fixture: Fixture) throws -> ReferenceArray {
        try ReferenceArray(path: fixture.path(name + ".npy", under: "llama.cpp"))
    }

    /// The token with the largest logit.
    private static func best(_ logits: [Float]) -> Int {
        logits.indices.max { logits[$0] < logits[$1] } ?? 0
    }

    /// Writes what follows each of the recorded prompts, without knowing what llama.cpp wrote
    /// (scripts/references/llama_decoders.py).
    private func expectPeersText(_ run: DecoderRun, _ fixture: Fixture) throws {
        let prompts = try Self.recorded("prompts", fixture)
        let texts = try Self.recorded("tokens", fixture)
        var logits: [Float] = []
        for index in 0..<prompts.shape[0] {
            run.state.reset()
            var last = run.prefill(prompts[index].map { Int($0) })
            var text = [Self.best(last)]
            logits += last
            while text.count < texts.shape[1] {
                last = run.readStepByStep(text.suffix(1))
                text.append(Self.best(last))
                logits += last
            }
            #expect(text == texts[index].map { Int($0) }, "prompt \(index)")
        }
        try expectExact(logits, fixture)
    }

    /// Compares with llama.cpp's logits where it rounds no activations.
    ///
    /// Ours are rounded only for quantised weights. Then they must be as close on average as
    /// llama.cpp's own are, which rounds for all types but F32.
    private func expectExact(_ logits: [Float], _ fixture: Fixture) throws {
        let exact = try Self.recorded("exact", fixture).elements
        guard fixture.isQuantized else {
            let error = greatestDifference(logits, exact)
            #expect(error <= 1e-3, "\(error)")
            return
        }
        expectClose(logits, exact, within: fixture.tolerance, "logits")
        let distance = try Self.recorded("distance", fixture).elements[0]
        let squares = zip(logits, exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let error = (squares / Float(exact.count)).squareRoot()
        #expect(error <= 1.05 * distance, "\(error / distance) of llama.cpp's")
    }
}
