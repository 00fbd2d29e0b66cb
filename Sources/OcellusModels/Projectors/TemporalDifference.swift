// SPDX-License-Identifier: Apache-2.0
import OcellusKernels
import OcellusMemory

/// The features of a frame joined with their change since the last frame.
///
///     x_t = [f_t | f_t - f_{t-1}],   x_0 = [f_0 | 0]
///
/// It is what lets a decoder of a few million parameters see motion (models/README.md).
struct TemporalDifference {
    /// The features of the last frame, (cells, dVision): part of the session's state.
    let previous: PlannedTensor
    /// What is projected, (cells, 2 dVision): ends with its first use.
    let joined: PlannedTensor
    private let change: PlannedTensor  // (cells, dVision)

    init(cellCount: Int, dVision: Int, planner: inout MemoryPlanner) {
        previous = planner.tensor("mm.previous", rows: cellCount, columns: dVision, in: .state)
        change = planner.tensor("mm.change", rows: cellCount, columns: dVision, in: .scratch)
        joined = planner.tensor("mm.joined", rows: cellCount, columns: 2 * dVision, in: .scratch)
        planner.release(change)
    }

    func reset(in arena: borrowing Arena) {
        arena[previous].fill(0)
    }

    /// The joined features, (cells, 2 dVision); remembers the features for the next frame.
    @_noAllocation @_noLocks
    func join(_ features: Tensor, isFirstFrame: Bool, in arena: borrowing Arena) -> Tensor {
        let (previous, change, joined) = (
            arena[self.previous], arena[self.change], arena[self.joined]
        )
        if isFirstFrame {
            change.fill(0)
        } else {
            subtract(features, previous, into: change)
        }
        joined.copyColumns(from: features, at: 0)
        joined.copyColumns(from: change, at: features.columns)
        previous.copy(from: features)
        return joined
    }
}
