// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Ocellus
@testable import OcellusMemory

/// The bank against NumPy's (scripts/references/memory_bank.py).
@Suite struct MergingBankTests {
    private struct Values: Decodable {
        let shape: [Int]
        let values: [Float]
    }

    @Test func theMostSimilarNeighboursAreMerged() throws {
        let url = URL(fileURLWithPath: Fixture.path("memory/bank.json"))
        let fixture = try JSONDecoder().decode([String: Values].self, from: Data(contentsOf: url))
        let frames = try #require(fixture["frames"])
        let (tokenCount, width) = (frames.shape[1], frames.shape[2])
        var planner = MemoryPlanner()
        let bank = MergingBank(
            capacity: 6,
            tokenCount: tokenCount,
            dModel: width,
            planner: &planner
        )
        let planned = planner.tensor("frame", rows: tokenCount, columns: width, in: .state)
        let arena = try Arena(plan: try planner.plan())
        let tokens = arena[planned]
        var (count, checked) = (0, 0)
        for frame in 0..<frames.shape[0] {
            for element in 0..<tokenCount * width {
                tokens[element / width, element % width] =
                    frames.values[frame * tokenCount * width + element]
            }
            count = bank.append(tokens, count: count, in: arena)
            guard let expected = fixture["bank\(frame + 1)"],
                let counts = fixture["counts\(frame + 1)"]
            else { continue }
            checked += 1
            #expect(count == expected.shape[0])
            for index in 0..<count {
                let entry = bank.frame(index, in: arena)
                for element in 0..<tokenCount * width {
                    let wanted = expected.values[index * tokenCount * width + element]
                    #expect(abs(entry[element / width, element % width] - wanted) < 1e-5)
                }
                for position in 0..<tokenCount {
                    #expect(
                        arena[bank.tensors.1][position, index]
                            == counts.values[index * tokenCount + position]
                    )
                }
            }
        }
        #expect(checked == 4)
    }
}
