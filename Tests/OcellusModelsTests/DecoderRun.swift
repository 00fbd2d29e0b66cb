// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory
import OcellusModels

/// A decoder with all that it needs to run: file, arena, threads, one state.
final class DecoderRun {
    let decoder: MambaDecoder
    let state: DecoderState
    private let file: ModelFile
    private let arena: Arena
    private let pool: ThreadPool

    convenience init(_ fixture: Fixture, chunkLength: Int = 64, threadCount: Int = 1) throws {
        try self.init(
            path: fixture.path("decoder.gguf"),
            chunkLength: chunkLength,
            threadCount: threadCount
        )
    }

    init(path: String, chunkLength: Int, threadCount: Int) throws {
        let file = try ModelFile(path: path)
        var planner = MemoryPlanner()
        let decoder = try MambaDecoder(file: file, chunkLength: chunkLength, planner: &planner)
        let planned = planner.tensor(
            "state",
            rows: 1,
            columns: decoder.stateLayout.count,
            in: .state
        )
        let plan = try planner.plan()
        let arena = try smallArena(plan)
        state = DecoderState(layout: decoder.stateLayout, elements: arena[planned])
        self.decoder = decoder
        self.file = file
        self.arena = arena
        pool = ThreadPool(threadCount: threadCount)
    }

    /// Folds tokens into the state; the logits after each, (tokens, vocabulary).
    func read(_ tokens: [Int]) -> [Float] {
        var logits: [Float] = []
        for start in stride(from: 0, to: tokens.count, by: decoder.chunkLength) {
            let chunk = Array(tokens[start...].prefix(decoder.chunkLength))
            _ = decoder.prefill(chunk, state: state, in: arena, on: pool)
            for row in chunk.indices {
                let hidden = decoder.hiddenRow(row, in: arena)
                logits += elements(decoder.logits(of: hidden, in: arena, on: pool))
            }
        }
        return logits
    }

    /// As `read`, one token at a time.
    func readStepByStep(_ tokens: [Int]) -> [Float] {
        tokens.flatMap { token in
            let hidden = decoder.step(token, state: state, in: arena, on: pool)
            return elements(decoder.logits(of: hidden, in: arena, on: pool))
        }
    }

    /// Folds tokens into the state in one call; the logits after the last.
    func prefill(_ tokens: [Int]) -> [Float] {
        let hidden = decoder.prefill(tokens, state: state, in: arena, on: pool)
        return elements(decoder.logits(of: hidden, in: arena, on: pool))
    }

    /// As `prefill`, through the embeddings of the tokens: the way of image tokens.
    func prefillEmbeddings(of tokens: [Int]) throws -> [Float] {
        let c = decoder.configuration
        let table = try file.matrix(
            "token_embd.weight",
            rows: c.vocabularySize,
            columns: c.dModel
        )
        var planner = MemoryPlanner()
        let planned = planner.tensor(
            "embeddings",
            rows: tokens.count,
            columns: c.dModel,
            in: .scratch
        )
        let own = try Arena(plan: try planner.plan())
        let embeddings = own[planned]
        for (row, token) in tokens.enumerated() {
            dequantizeRow(table, row: token, into: embeddings.rows(row..<row + 1))
        }
        let hidden = decoder.prefill(embeddings: embeddings, state: state, in: arena, on: pool)
        return elements(decoder.logits(of: hidden, in: arena, on: pool))
    }

    /// The convolution histories of all layers, (layers, dConv - 1, channels).
    var histories: [Float] {
        (0..<decoder.configuration.layerCount).flatMap { elements(state.history(layer: $0)) }
    }

    /// The hidden states of all layers, (layers, dInner, dState).
    var hiddenStates: [Float] {
        (0..<decoder.configuration.layerCount).flatMap { elements(state.h(layer: $0)) }
    }
}
