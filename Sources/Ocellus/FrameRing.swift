// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// The tokens of the last frames, in a fixed ring of the arena.
struct FrameRing {
    /// The most frames that are kept.
    let capacity: Int
    private let rowCount: Int
    private let slots: PlannedTensor  // (capacity * rowCount, dModel)

    /// Which frames are in the ring.
    struct Position {
        /// The count of frames kept.
        var count = 0
        /// The slot of the next frame.
        var next = 0
    }

    init(
        _ name: String,
        capacity: Int,
        rowCount: Int,
        dModel: Int,
        planner: inout MemoryPlanner
    ) {
        let (rows, overflow) = capacity.multipliedReportingOverflow(by: rowCount)
        self.capacity = capacity
        self.rowCount = rowCount
        slots = planner.tensor(name, rows: overflow ? -1 : rows, columns: dModel, in: .state)
    }

    /// All tokens, for saved states.
    var tensor: PlannedTensor { slots }

    /// The slot of a kept frame, 0 being the oldest.
    @_noAllocation @_noLocks
    func slot(_ age: Int, at position: Position) -> Int {
        (position.next - position.count + age + capacity) % capacity
    }

    /// The tokens in a slot, (rowCount, dModel).
    @_noAllocation @_noLocks
    func tokens(inSlot slot: Int, in arena: borrowing Arena) -> Tensor {
        arena[slots].rows(slot * rowCount..<(slot + 1) * rowCount)
    }

    /// Makes room for a frame, in place of the oldest if the ring is full; the caller fills the slot.
    @_noAllocation @_noLocks
    func append(_ position: inout Position) -> Int {
        let slot = position.next
        position.next = (slot + 1) % capacity
        position.count = min(position.count + 1, capacity)
        return slot
    }
}
