// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// A bank of frames that merges the most similar neighbours when it is full.
///
/// Each token position i has a row of entries f[0, i], f[1, i], ... of its own, with the count n of
/// frames that each stands for. An entry too many is removed by
///
///     k = argmax over t of cos(f[t, i], f[t + 1, i])
///     f[k, i] = (n[k] f[k, i] + n[k + 1] f[k + 1, i]) / (n[k] + n[k + 1])
///
/// so an entry is the mean of the frames that it stands for. The first of equal similarities wins.
///
/// - Source: He et al. 2024 (MA-LMM), section 3.2, memory bank compression. The paper writes the plain
///   mean of two entries; the counts, as in its authors' code, keep it a mean over frames.
struct MergingBank {
    /// The most entries per token position.
    let capacity: Int
    private let tokenCount: Int
    /// Position by position, (tokenCount * (capacity + 1), dModel).
    private let entries: PlannedTensor
    private let counts: PlannedTensor  // (tokenCount, capacity + 1)
    private let gathered: PlannedTensor  // (tokenCount, dModel)

    init(capacity: Int, tokenCount: Int, dModel: Int, planner: inout MemoryPlanner) {
        self.capacity = capacity
        self.tokenCount = tokenCount
        let (rows, overflow) = tokenCount.multipliedReportingOverflow(by: capacity + 1)
        entries = planner.tensor(
            "memory.bank",
            rows: overflow ? -1 : rows,
            columns: dModel,
            in: .state
        )
        counts = planner.tensor(
            "memory.bank.counts",
            rows: tokenCount,
            columns: capacity + 1,
            in: .state
        )
        gathered = planner.tensor("memory.frame", rows: tokenCount, columns: dModel, in: .state)
    }

    /// What a saved state keeps.
    var tensors: (PlannedTensor, PlannedTensor) { (entries, counts) }

    /// Appends the tokens of a frame, (tokenCount, dModel), behind `count` entries.
    ///
    /// - Returns: the count of entries afterwards, at most the capacity.
    @_noAllocation @_noLocks
    func append(_ tokens: Tensor, count: Int, in arena: borrowing Arena) -> Int {
        precondition(count >= 0 && count <= capacity && tokens.rows == tokenCount)
        let counts = arena[self.counts]
        for position in 0..<tokenCount {
            let row = entries(of: position, in: arena)
            row.rows(count..<count + 1).copy(from: tokens.rows(position..<position + 1))
            counts[position, count] = 1
            guard count == capacity else { continue }
            merge(row, counts: counts.rows(position..<position + 1))
        }
        return min(count + 1, capacity)
    }

    /// The entries of all positions at a place in the order of time, (tokenCount, dModel); valid until
    /// the next call.
    @_noAllocation @_noLocks
    func frame(_ index: Int, in arena: borrowing Arena) -> Tensor {
        let frame = arena[gathered]
        for position in 0..<tokenCount {
            frame.rows(position..<position + 1).copy(
                from: entries(of: position, in: arena).rows(index..<index + 1)
            )
        }
        return frame
    }

    @_noAllocation @_noLocks
    private func entries(of position: Int, in arena: borrowing Arena) -> Tensor {
        arena[entries].rows(position * (capacity + 1)..<(position + 1) * (capacity + 1))
    }

    /// Makes `capacity` entries of one more.
    @_noAllocation @_noLocks
    private func merge(_ row: Tensor, counts: Tensor) {
        var most = 0
        var greatest = -Float.infinity
        for index in 0..<capacity {
            let similarity = self.similarity(row, index, index + 1)
            if similarity > greatest {
                greatest = similarity
                most = index
            }
        }
        let (first, second) = (counts[0, most], counts[0, most + 1])
        for column in 0..<row.columns {
            row[most, column] =
                (first * row[most, column] + second * row[most + 1, column]) / (first + second)
        }
        counts[0, most] = first + second
        for index in most + 1..<capacity {
            row.rows(index..<index + 1).copy(from: row.rows(index + 1..<index + 2))
            counts[0, index] = counts[0, index + 1]
        }
    }

    /// The square of the cosine, with its sign: the same order.
    @_noAllocation @_noLocks
    private func similarity(_ row: Tensor, _ a: Int, _ b: Int) -> Float {
        var (product, squareA, squareB): (Float, Float, Float) = (0, 0, 0)
        for column in 0..<row.columns {
            let (x, y) = (row[a, column], row[b, column])
            product += x * y
            squareA += x * x
            squareB += y * y
        }
        let squares = squareA * squareB
        return squares > 0 ? product * abs(product) / squares : 0
    }
}
