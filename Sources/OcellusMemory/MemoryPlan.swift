// SPDX-License-Identifier: Apache-2.0

/// Where each buffer of a run lies in the arena, computed before anything is allocated.
public struct MemoryPlan: Sendable {
    /// The buffers, in the order in which they were asked for.
    public let requests: [BufferRequest]
    /// The offset of each buffer in bytes, multiples of `MemoryPlanner.alignment`.
    public let offsets: [Int]
    /// The exact size of the arena in bytes.
    public let requiredBytes: Int
    /// The count of steps of the run that was planned.
    public let stepCount: Int

    /// The bytes of the buffers of a class, each rounded up to the alignment, without any reuse.
    public func byteCount(of memoryClass: MemoryClass) -> Int {
        var sum = 0
        for request in requests where request.memoryClass == memoryClass {
            sum += MemoryPlanner.aligned(request.byteCount)
        }
        return sum
    }

    /// Two buffers that share a byte at a common step, or nil: the oracle of the planner's tests.
    ///
    /// - Complexity: O(n²) in the count of buffers.
    public func firstConflict() -> (Int, Int)? {
        for first in requests.indices where requests[first].byteCount > 0 {
            for second in 0..<first where requests[second].byteCount > 0 {
                let isApart =
                    offsets[first] + requests[first].byteCount <= offsets[second]
                    || offsets[second] + requests[second].byteCount <= offsets[first]
                if !isApart, requests[first].overlapsInTime(requests[second]) {
                    return (second, first)
                }
            }
        }
        return nil
    }
}
