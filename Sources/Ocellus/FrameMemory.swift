// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import OcellusModels

/// The buffers of a `StreamMemory`, planned.
enum FrameMemory {
    case rolling
    case changes(TokenGate)
    /// `firsts` has the tokens of each frame as if it were the first, where the model compares a
    /// frame with the one before.
    case window(FrameRing, firsts: FrameRing?)
    /// `first` is such a frame too: the one that the next rebuild begins with.
    case refresh(FrameRing, first: FrameRing?)
    case bank(MergingBank)
    /// `base` is the state after the pooled tokens of all frames but the newest.
    case pooled(FrameRing, TokenPooling, base: PlannedTensor)

    /// What the memory holds at the moment.
    struct Position {
        /// The frames that a ring or the bank holds.
        var ring = FrameRing.Position()
        /// The frames in the live state, or in the base of pooled frames.
        var carried = 0
        /// Whether the live state must be rebuilt before it is used.
        var isStale = false
        /// Whether the last encoded frame showed no change.
        var isSettled = true
    }

    init(
        _ memory: StreamMemory,
        projector: borrowing Projector,
        stateCount: Int,
        planner: inout MemoryPlanner
    ) {
        let (tokenCount, dModel) = (projector.tokenCount, projector.dModel)
        let comparesFrames = projector.comparesFrames
        func ring(
            _ name: String,
            _ capacity: Int,
            _ rowCount: Int,
            _ planner: inout MemoryPlanner
        ) -> FrameRing {
            FrameRing(
                name,
                capacity: capacity,
                rowCount: rowCount,
                dModel: dModel,
                planner: &planner
            )
        }
        switch memory {
        case .rolling:
            self = .rolling
        case .changes(let threshold):
            self = .changes(
                TokenGate(
                    threshold: threshold,
                    tokenCount: tokenCount,
                    frameTokenCount: projector.frameTokenCount,
                    dModel: dModel,
                    planner: &planner
                )
            )
        case .window(let frames):
            let kept = ring("memory.ring", frames, tokenCount, &planner)
            self = .window(
                kept,
                firsts: comparesFrames ? ring("memory.first", frames, tokenCount, &planner) : nil
            )
        case .refresh(let frames):
            let kept = ring("memory.ring", frames, tokenCount, &planner)
            self = .refresh(
                kept,
                first: comparesFrames ? ring("memory.first", 1, tokenCount, &planner) : nil
            )
        case .bank(let frames):
            self = .bank(
                MergingBank(
                    capacity: frames,
                    tokenCount: tokenCount,
                    dModel: dModel,
                    planner: &planner
                )
            )
        case .pooled(let frames, let tokens):
            let pooling = TokenPooling(
                shareCount: tokens,
                imageTokenCount: tokenCount - projector.frameTokenCount,
                frameTokenCount: projector.frameTokenCount
            )
            let kept = ring("memory.ring", frames, pooling.tokenCount, &planner)
            let base = planner.tensor("memory.base", rows: 1, columns: stateCount, in: .state)
            self = .pooled(kept, pooling, base: base)
        }
    }

    /// The most frames that a ring or the bank holds; 0 without one.
    var capacity: Int {
        switch self {
        case .rolling, .changes: 0
        case .window(let ring, _), .refresh(let ring, _), .pooled(let ring, _, _): ring.capacity
        case .bank(let bank): bank.capacity
        }
    }

    /// Whether a position that was read from a file can be one of this memory.
    func allows(_ position: Position) -> Bool {
        let limit: Int
        switch self {
        case .rolling, .changes: return position.ring.count == 0
        case .window, .bank: limit = Int.max
        case .refresh(let ring, _), .pooled(let ring, _, _): limit = 2 * ring.capacity
        }
        return position.ring.count <= capacity && position.ring.next < capacity
            && position.carried < limit
    }

    /// What a saved state keeps beside the live state.
    var tensors: [PlannedTensor] {
        switch self {
        case .rolling: return []
        case .changes(let gate): return [gate.reference]
        case .window(let ring, let firsts), .refresh(let ring, let firsts):
            guard let firsts else { return [ring.tensor] }
            return [ring.tensor, firsts.tensor]
        case .bank(let bank): return [bank.tensors.0, bank.tensors.1]
        case .pooled(let ring, _, let base): return [ring.tensor, base]
        }
    }
}
