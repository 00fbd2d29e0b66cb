// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@Suite struct ArenaTests {
    @Test func startsZeroedAndKeepsWhatIsWritten() throws {
        var planner = MemoryPlanner()
        let first = planner.tensor("first", rows: 3, columns: 5, in: .state)
        let second = planner.tensor("second", rows: 2, columns: 7, in: .state)
        let arena = try Arena(plan: planner.plan())
        #expect((0..<15).allSatisfy { arena[first][$0 / 5, $0 % 5] == 0 })
        arena[first].fill(1)
        arena[second].fill(2)
        #expect((0..<15).allSatisfy { arena[first][$0 / 5, $0 % 5] == 1 })
        #expect(arena[second].rows(1..<2)[0, 6] == 2)
    }

    @Test func everyBufferIsAligned() throws {
        var planner = MemoryPlanner()
        let tensors = (1..<20).map { planner.tensor("t", rows: $0, columns: 3, in: .state) }
        let arena = try Arena(plan: planner.plan())
        for tensor in tensors {
            #expect(UInt(bitPattern: arena[tensor].base) % UInt(MemoryPlanner.alignment) == 0)
        }
    }

    @Test func copiesColumns() throws {
        var planner = MemoryPlanner()
        let wide = planner.tensor("wide", rows: 2, columns: 5, in: .state)
        let narrow = planner.tensor("narrow", rows: 2, columns: 2, in: .state)
        let arena = try Arena(plan: planner.plan())
        for index in 0..<4 { arena[narrow][index / 2, index % 2] = Float(index + 1) }
        arena[wide].copyColumns(from: arena[narrow], at: 3)
        #expect((0..<5).map { arena[wide][1, $0] } == [0, 0, 0, 3, 4])
    }

    @Test func aBlockThatCannotBeIsAnError() throws {
        var planner = MemoryPlanner()
        _ = planner.bytes("huge", count: 1 << 60, in: .state)
        let plan = try planner.plan()
        #expect(throws: MemoryError.self) { try { _ = try Arena(plan: plan) }() }
    }
}
