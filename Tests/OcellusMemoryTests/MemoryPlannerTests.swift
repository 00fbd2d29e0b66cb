import Testing

// SPDX-License-Identifier: Apache-2.0
@testable import OcellusMemory

@Suite struct MemoryPlannerTests {
    @Test("random requests never conflict, by the O(n²) oracle", arguments: 0..<200)
    func neverConflicts(seed: Int) throws {
        var random = SeededNumbers(seed: UInt64(seed))
        var planner = MemoryPlanner()
        var open: [PlannedBytes] = []
        for index in 0..<Int.random(in: 1...60, using: &random) {
            let size = Int.random(in: 0...5000, using: &random)
            if Bool.random(using: &random) {
                open.append(planner.bytes("scratch \(index)", count: size, in: .scratch))
            } else {
                _ = planner.bytes("state \(index)", count: size / 10, in: .state)
            }
            if Bool.random(using: &random), let last = open.popLast() { planner.release(last) }
            if Bool.random(using: &random) { planner.advance() }
        }
        let plan = try planner.plan()
        #expect(plan.firstConflict() == nil)
        let end = plan.requests.indices.map { plan.offsets[$0] + plan.requests[$0].byteCount }
        #expect(end.max().map { $0 <= plan.requiredBytes } == true)
        #expect(plan.requiredBytes <= plan.byteCount(of: .state) + plan.byteCount(of: .scratch))
        #expect(plan.offsets.allSatisfy { $0 % MemoryPlanner.alignment == 0 })
    }

    @Test func theOracleFindsAConflict() throws {
        // Two buffers of the same step, forced to the same offset by a plan for two steps.
        var apart = MemoryPlanner()
        let first = apart.bytes("first", count: 64, in: .scratch)
        apart.release(first)
        apart.advance()
        _ = apart.bytes("second", count: 64, in: .scratch)
        let plan = try apart.plan()
        #expect(plan.requiredBytes == 64)
        let together = MemoryPlan(
            requests: plan.requests.map {
                BufferRequest(
                    name: $0.name,
                    byteCount: 64,
                    memoryClass: .scratch,
                    firstStep: 0,
                    lastStep: 1
                )
            },
            offsets: plan.offsets,
            requiredBytes: 64,
            stepCount: 2
        )
        #expect(try #require(together.firstConflict()) == (0, 1))
    }

    @Test func reusesBytesOfBuffersThatDoNotMeet() throws {
        // A chain a -> b -> c: at most two live at once, so the third takes the first one's bytes.
        var planner = MemoryPlanner()
        let a = planner.tensor("a", rows: 16, columns: 16, in: .scratch)
        planner.advance()
        let b = planner.tensor("b", rows: 16, columns: 16, in: .scratch)
        planner.release(a)
        planner.advance()
        _ = planner.tensor("c", rows: 16, columns: 16, in: .scratch)
        planner.release(b)
        let plan = try planner.plan()
        #expect(plan.requiredBytes == 2 * 16 * 16 * 4)
        #expect(plan.offsets[0] == plan.offsets[2])
    }

    @Test func stateIsNeverReused() throws {
        var planner = MemoryPlanner()
        let early = planner.bytes("early", count: 100, in: .scratch)
        planner.release(early)
        planner.advance()
        _ = planner.bytes("state", count: 100, in: .state)
        let plan = try planner.plan()
        #expect(plan.requiredBytes == 2 * 128)
    }

    @Test(
        "impossible sizes are an error, not a trap",
        arguments: [(-1, 4), (Int.max, 2), (1 << 40, 1 << 40), (Int.max / 4, 1)]
    )
    func impossibleSizes(rows: Int, columns: Int) {
        var planner = MemoryPlanner()
        _ = planner.tensor("huge", rows: rows, columns: columns, in: .scratch)
        #expect(throws: MemoryError.self) { try planner.plan() }
    }

    @Test func sumsThatOverflowAreAnError() {
        var planner = MemoryPlanner()
        for _ in 0..<4 { _ = planner.bytes("half", count: Int.max / 2, in: .state) }
        #expect(throws: MemoryError.self) { try planner.plan() }
    }
}

/// Reproducible random numbers (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
