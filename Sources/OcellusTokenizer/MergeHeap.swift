// SPDX-License-Identifier: Apache-2.0

/// A binary heap of possible merges: the lowest rank first, then the leftmost position.
struct MergeHeap {
    /// rank << 32 | position, so that one comparison orders both.
    private var keys: [UInt64] = []

    /// Adds a merge.
    mutating func push(rank: Int, position: Int) {
        keys.append(UInt64(rank) << 32 | UInt64(position))
        var child = keys.count - 1
        while child > 0, keys[child] < keys[(child - 1) / 2] {
            keys.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the lowest merge out, or nil if there is none.
    mutating func popLowest() -> (rank: Int, position: Int)? {
        guard let lowest = keys.first, let last = keys.popLast() else { return nil }
        if !keys.isEmpty {
            keys[0] = last
            sink()
        }
        return (Int(lowest >> 32), Int(lowest & 0xFFFF_FFFF))
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < keys.count else { return }
            if child + 1 < keys.count, keys[child + 1] < keys[child] { child += 1 }
            guard keys[child] < keys[parent] else { return }
            keys.swapAt(child, parent)
            parent = child
        }
    }
}
