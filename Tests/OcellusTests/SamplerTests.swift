// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusMemory
import Testing

@testable import Ocellus

@Suite struct SamplerTests {
    /// The share of each token in many draws.
    private func shares(
        _ logits: [Float],
        _ sampling: Sampling,
        draws: Int = 20_000
    ) throws -> [Double] {
        var planner = MemoryPlanner()
        let row = planner.tensor("logits", rows: 1, columns: logits.count, in: .state)
        let sampler = Sampler(vocabularySize: logits.count, planner: &planner)
        let arena = try Arena(plan: planner.plan())
        for token in logits.indices { arena[row][0, token] = logits[token] }
        var random = RandomNumbers(seed: sampling.seed)
        var counts = [Int](repeating: 0, count: logits.count)
        for _ in 0..<draws {
            counts[sampler.sample(arena[row], sampling, random: &random, in: arena)] += 1
        }
        return counts.map { Double($0) / Double(draws) }
    }

    private func softmax(_ logits: [Float]) -> [Double] {
        let exponentials = logits.map { exp(Double($0)) }
        return exponentials.map { $0 / exponentials.reduce(0, +) }
    }

    private let logits: [Float] = [0.5, 2, -1, 1.5, 0, -.infinity, 1]

    @Test func greedyTakesTheMostProbable() throws {
        #expect(try shares(logits, .greedy, draws: 10)[1] == 1)
    }

    @Test func drawsFollowTheProbabilities() throws {
        let drawn = try shares(logits, Sampling(temperature: 1, seed: 1))
        for (share, expected) in zip(drawn, softmax(logits)) {
            #expect(abs(share - expected) < 0.012)
        }
    }

    @Test func temperatureFlattens() throws {
        let drawn = try shares(logits, Sampling(temperature: 2, seed: 2))
        for (share, expected) in zip(drawn, softmax(logits.map { $0 / 2 })) {
            #expect(abs(share - expected) < 0.012)
        }
    }

    @Test func topKKeepsTheMostProbable() throws {
        let drawn = try shares(logits, Sampling(temperature: 1, topK: 2, seed: 3))
        let kept = softmax([2, 1.5])
        #expect(abs(drawn[1] - kept[0]) < 0.012)
        #expect(abs(drawn[3] - kept[1]) < 0.012)
        #expect(drawn[1] + drawn[3] == 1)
    }

    @Test func topPKeepsTheSmallestSetThatReachesIt() throws {
        // Probabilities 0.43, 0.26, 0.16, ...: two tokens reach 0.6.
        let drawn = try shares(logits, Sampling(temperature: 1, topP: 0.6, seed: 4))
        #expect(drawn[1] > 0 && drawn[3] > 0)
        #expect(drawn[1] + drawn[3] == 1)
    }

    @Test func topPOfZeroIsGreedy() throws {
        #expect(try shares(logits, Sampling(temperature: 1, topP: 0, seed: 5))[1] == 1)
    }

    @Test func aTinyTemperatureIsGreedy() throws {
        let sampling = Sampling(temperature: .leastNonzeroMagnitude, seed: 7)
        #expect(try shares(logits, sampling, draws: 100)[1] == 1)
    }

    @Test func equalSeedsGiveEqualDraws() throws {
        let sampling = Sampling(temperature: 1, seed: 6)
        #expect(try shares(logits, sampling, draws: 50) == shares(logits, sampling, draws: 50))
    }
}
