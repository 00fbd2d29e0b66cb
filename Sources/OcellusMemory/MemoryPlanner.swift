// SPDX-License-Identifier: Apache-2.0

/// Collects the buffers of a run and gives each an offset in one block.
///
/// A model describes its run by walking through it once, in the order of execution: it requests a
/// buffer where the run first writes it, releases it after its last use, and advances the clock
/// between two steps. Buffers whose lifetimes do not touch may get the same bytes.
///
///     let wide = planner.tensor("wide", rows: tokens, columns: 4 * d, in: .scratch)
///     planner.advance()
///     let narrow = planner.tensor("narrow", rows: tokens, columns: d, in: .scratch)
///     planner.release(wide)          // last used to compute `narrow`
///     planner.advance()
///
/// The placement is greedy by size: the largest buffer first, each at the lowest offset where it
/// fits between the already placed ones that live at the same time. The best placement is an
/// NP-complete problem (dynamic storage allocation); this one is decent for the shapes of networks,
/// where a few large buffers decide.
public struct MemoryPlanner {
    /// The alignment of each buffer in bytes: a cache line, and the widest vector register.
    public static let alignment = 64

    /// The buffers asked for so far, in the order of asking.
    public private(set) var requests: [BufferRequest] = []
    /// The current step of the run.
    public private(set) var step = 0
    private var isReleased: [Bool] = []
    private var overflowed: String?

    /// A planner without buffers, at step 0.
    public init() {}

    /// Moves on to the next step of the run.
    public mutating func advance() {
        step += 1
    }

    /// Asks for a matrix of `Float` that lives from the current step until it is released.
    ///
    /// A state lives from the first step to the last, whenever it is asked for.
    public mutating func tensor(
        _ name: String,
        rows: Int,
        columns: Int,
        in memoryClass: MemoryClass
    ) -> PlannedTensor {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        let (byteCount, byteOverflow) = count.multipliedReportingOverflow(
            by: MemoryLayout<Float>.stride
        )
        let isPossible = rows >= 0 && columns >= 0 && !overflow && !byteOverflow
        let index = add(name, byteCount: isPossible ? byteCount : -1, in: memoryClass)
        return PlannedTensor(index: index, rows: rows, columns: columns)
    }

    /// Asks for raw bytes that live from the current step until they are released.
    public mutating func bytes(
        _ name: String,
        count: Int,
        in memoryClass: MemoryClass
    ) -> PlannedBytes {
        PlannedBytes(index: add(name, byteCount: count, in: memoryClass), byteCount: count)
    }

    /// Ends the life of a buffer with the current step.
    public mutating func release(_ tensor: PlannedTensor) {
        release(index: tensor.index)
    }

    /// Ends the life of a buffer with the current step.
    public mutating func release(_ bytes: PlannedBytes) {
        release(index: bytes.index)
    }

    /// The plan for all buffers asked for; those not released live until the last step.
    ///
    /// - Throws: `MemoryError.sizeOverflow` if a buffer or the sum has an impossible size.
    public func plan() throws(MemoryError) -> MemoryPlan {
        if let overflowed { throw .sizeOverflow(buffer: overflowed) }
        var lived = requests
        for index in lived.indices where !isReleased[index] {
            lived[index].lastStep = step
        }
        let order = lived.indices.sorted { first, second in
            let (a, b) = (lived[first].byteCount, lived[second].byteCount)
            return a != b ? a > b : first < second
        }
        var offsets = [Int](repeating: 0, count: lived.count)
        var placed: [Int] = []  // indices, by ascending offset
        var requiredBytes = 0
        for index in order {
            let size = MemoryPlanner.aligned(lived[index].byteCount)
            var offset = 0
            for other in placed where lived[other].overlapsInTime(lived[index]) {
                if offset + size <= offsets[other] { break }
                offset = max(offset, offsets[other] + MemoryPlanner.aligned(lived[other].byteCount))
            }
            let (end, overflow) = offset.addingReportingOverflow(size)
            if overflow { throw .sizeOverflow(buffer: lived[index].name) }
            offsets[index] = offset
            requiredBytes = max(requiredBytes, end)
            let position = placed.firstIndex { offsets[$0] > offset } ?? placed.count
            placed.insert(index, at: position)
        }
        return MemoryPlan(
            requests: lived,
            offsets: offsets,
            requiredBytes: requiredBytes,
            stepCount: step + 1
        )
    }

    /// The count rounded up to the alignment.
    static func aligned(_ byteCount: Int) -> Int {
        (byteCount + alignment - 1) & ~(alignment - 1)
    }

    private mutating func add(_ name: String, byteCount: Int, in memoryClass: MemoryClass) -> Int {
        // The rounding up and the sums of `plan` must not overflow either.
        let isPossible = byteCount >= 0 && byteCount <= Int.max / 2
        if !isPossible, overflowed == nil { overflowed = name }
        requests.append(
            BufferRequest(
                name: name,
                byteCount: isPossible ? byteCount : 0,
                memoryClass: memoryClass,
                firstStep: memoryClass == .state ? 0 : step,
                lastStep: step
            )
        )
        isReleased.append(false)
        return requests.count - 1
    }

    private mutating func release(index: Int) {
        precondition(
            requests[index].memoryClass == .scratch && !isReleased[index],
            "only scratch is released, and once"
        )
        requests[index].lastStep = step
        isReleased[index] = true
    }
}
