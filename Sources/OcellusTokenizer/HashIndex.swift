// SPDX-License-Identifier: Apache-2.0

/// Finds the rows of a table by hash: 4 bytes per slot, at most half of the slots in use.
///
/// The keys stay in the table of the caller, who hashes and compares them: a `Dictionary` would
/// hold a second copy of a vocabulary's text. Hashes come from `Hasher`, whose seed differs from
/// process to process, so that no file can choose keys that collide.
struct HashIndex: Sendable {
    private var slots: [Int32]

    /// An index for at most `capacity` rows.
    init(capacity: Int) {
        var slotCount = 8
        while slotCount < 2 * capacity { slotCount *= 2 }
        slots = [Int32](repeating: -1, count: slotCount)
    }

    /// The row with this hash that `matches`, or nil.
    func row(hash: Int, matches: (Int) -> Bool) -> Int? {
        let found = Int(slots[slot(hash: hash, matches: matches)])
        return found < 0 ? nil : found
    }

    /// Adds a row, unless there is one with this hash that `matches`.
    mutating func insert(_ row: Int, hash: Int, matches: (Int) -> Bool) {
        let slot = slot(hash: hash, matches: matches)
        if slots[slot] < 0 { slots[slot] = Int32(row) }
    }

    /// The slot of the row that matches, or the free slot where it would be.
    private func slot(hash: Int, matches: (Int) -> Bool) -> Int {
        let mask = slots.count - 1
        var slot = hash & mask
        while slots[slot] >= 0, !matches(Int(slots[slot])) {
            slot = (slot + 1) & mask
        }
        return slot
    }
}
