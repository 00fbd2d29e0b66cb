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
    func `greedy text and logits are those of llama.cpp`(fixture: Fixture) throws {
        let logits = try readAsPeer(
            DecoderRun(fixture),
            prompt: Self.tokens(fixture),
            next: Self.recorded("tokens", fixture).elements.map { Int($0) },
            fixture,
            // Where llama.cpp rounds, the better of two close tokens is chance.
            slack: fixture.isRoundedByPeer ? 0.2 : 0
        )
        try expectLogitsOfPeer(Array(logits.prefix(8).joined()), fixture)
    }

    @Test(arguments: packable)
    func `packed weights give the logits of llama.cpp too`(fixture: Fixture) throws {
        try withPacked(fixture) { path in
            let logits = try readAsPeer(
                DecoderRun(path: path, chunkLength: 64, threadCount: 1),
                prompt: Self.tokens(fixture),
                next: Self.recorded("tokens", fixture).elements.map { Int($0) },
                fixture,
                slack: 0.2
            )
            try expectLogitsOfPeer(Array(logits.prefix(8).joined()), fixture)
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
        let conversation = try Self.recorded("prompt", shipped).elements.map { Int($0) }
        let path = shipped.path("decoder.gguf", under: "../../models")
        let run = try DecoderRun(path: path, chunkLength: 64, threadCount: 1)
        let logits = try readAsPeer(
            run,
            prompt: [conversation[0]],
            next: Array(conversation[1...]),
            shipped,
            slack: 0
        )
        try expectLogitsOfPeer(Array(logits.suffix(8).joined()), shipped)
    }

    private static func recorded(_ name: String, _ fixture: Fixture) throws -> ReferenceArray {
        try ReferenceArray(path: fixture.path(name + ".npy", under: "llama.cpp"))
    }

    /// The logits before each of the next tokens, of which the largest belongs to the token that
    /// llama.cpp chose.
    private func readAsPeer(
        _ run: DecoderRun,
        prompt: [Int],
        next: [Int],
        _ fixture: Fixture,
        slack: Float
    ) throws -> [[Float]] {
        let chosen = try Self.recorded("tokens", fixture).elements.map { Int($0) }
        let margins = try Self.recorded("margins", fixture).elements
        try #require(chosen.count == next.count && margins.count == next.count)
        var logits = [run.prefill(prompt)]
        for (index, token) in next.enumerated() {
            let best = logits[index].indices.max { logits[index][$0] < logits[index][$1] }
            #expect(best == chosen[index] || margins[index] < slack, "token \(index)")
            logits.append(run.readStepByStep([token]))
        }
        return logits.dropLast()
    }

    private func expectLogitsOfPeer(_ logits: [Float], _ fixture: Fixture) throws {
        let expected = try Self.recorded("logits", fixture).elements
        if fixture.isRoundedByPeer {
            expectClose(logits, expected, within: 2e-2, "logits")
        } else {
            let error = greatestDifference(logits, expected)
            #expect(error <= 1e-2, "\(error)")
        }
    }
}
