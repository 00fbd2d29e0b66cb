// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// Picks the image tokens of a frame that differ from the last ones that were folded.
///
///     fold t[i]  if  |t[i] - r[i]| > threshold * max(|t[i]|, |r[i]|),  then r[i] = t[i]
///
/// The frame token, if the model has one, is always folded.
struct TokenGate {
    private let threshold: Float
    private let frameTokenCount: Int
    /// The last folded token of each place, (tokenCount, dModel).
    let reference: PlannedTensor
    private let packed: PlannedTensor  // (tokenCount, dModel)

    init(
        threshold: Float,
        tokenCount: Int,
        frameTokenCount: Int,
        dModel: Int,
        planner: inout MemoryPlanner
    ) {
        self.threshold = threshold
        self.frameTokenCount = frameTokenCount
        reference = planner.tensor(
            "memory.folded",
            rows: tokenCount,
            columns: dModel,
            in: .state
        )
        packed = planner.tensor("memory.changed", rows: tokenCount, columns: dModel, in: .state)
    }

    /// The tokens to fold, one behind the other; valid until the next call.
    ///
    /// - Shapes: tokens (tokenCount, dModel).
    @_noAllocation @_noLocks
    func changed(_ tokens: Tensor, isFirst: Bool, in arena: borrowing Arena) -> Tensor {
        let (reference, packed) = (arena[self.reference], arena[self.packed])
        var count = 0
        for index in 0..<tokens.rows {
            let token = tokens.rows(index..<index + 1)
            let last = reference.rows(index..<index + 1)
            guard isFirst || index < frameTokenCount || isChange(from: last, to: token) else {
                continue
            }
            packed.rows(count..<count + 1).copy(from: token)
            last.copy(from: token)
            count += 1
        }
        return packed.prefix(rows: count)
    }

    @_noAllocation @_noLocks
    private func isChange(from last: Tensor, to token: Tensor) -> Bool {
        var (difference, before, after): (Float, Float, Float) = (0, 0, 0)
        for column in 0..<token.columns {
            let (old, new) = (last[0, column], token[0, column])
            difference += (new - old) * (new - old)
            before += old * old
            after += new * new
        }
        return difference > threshold * threshold * max(before, after)
    }
}
