// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What the capture thread counts, for the thread that reads.
final class CaptureCounters: Sendable {
    let superseded = Atomic<Int>(0)
    let lost = Atomic<Int>(0)
    let flagged = Atomic<Int>(0)
    let short = Atomic<Int>(0)
    /// The bytes of the last short picture.
    let shortByteCount = Atomic<Int>(0)
    let damaged = Atomic<Int>(0)
    let untimed = Atomic<Int>(0)
}

extension Atomic where Value == Int {
    /// Counts; nothing else is ordered by it.
    @_noAllocation @_noLocks
    func count(_ more: Int = 1) {
        wrappingAdd(more, ordering: .relaxed)
    }

    /// The count.
    var now: Int { load(ordering: .relaxed) }
}
