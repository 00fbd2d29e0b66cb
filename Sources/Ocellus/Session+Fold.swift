// SPDX-License-Identifier: Apache-2.0
import OcellusImage
import OcellusKernels
import OcellusMemory
import OcellusModels

/// From a frame to the live state, as the session's `StreamMemory` has it.
extension Session {
    /// Encodes a frame and remembers its tokens, unless it has not changed.
    @_noAllocation @_noLocks
    func look(
        at frame: Frame,
        crop: CropRectangle?,
        vision: borrowing Vision,
        position: inout FrameMemory.Position,
        statistics: inout StreamStatistics
    ) -> SeenFrame {
        var seen = SeenFrame()
        let start = monotonicNanoseconds()
        let pixels = arena[vision.pixels]
        vision.preprocessor.run(frame, crop: crop, into: pixels, in: arena)
        statistics.framesSeen += 1
        if model.options.unchangedThreshold > 0 {
            let change = vision.gate.change(of: pixels, in: arena)
            if frameCount > 0 { seen.change = change }
            let isChanged = frameCount == 0 || change >= model.options.unchangedThreshold
            // Where a token tells how its cell changed, the first frame that stands still is news.
            let isNews = isChanged || (!position.isSettled && vision.projector.comparesFrames)
            position.isSettled = frameCount == 0 || !isChanged
            if isNews { vision.gate.keep(in: arena) }
            seen.isEncoded = isNews
        }
        let preprocessed = monotonicNanoseconds()
        seen.times.preprocess = preprocessed - start
        guard seen.isEncoded else {
            statistics.tokensSaved += vision.projector.tokenCount
            return seen
        }
        statistics.framesEncoded += 1
        let features = vision.encoder.encode(in: arena, on: pool)
        statistics.convolutions.add(vision.encoder.work(in: arena))
        let encoded = monotonicNanoseconds()
        let tokens = vision.projector.project(
            features,
            isFirstFrame: frameCount == 0,
            in: arena,
            on: pool
        )
        let projected = monotonicNanoseconds()
        remember(
            tokens,
            of: features,
            vision: vision,
            position: &position,
            statistics: &statistics
        )
        seen.times.encode = encoded - preprocessed
        seen.times.project = projected - encoded
        seen.times.fold = monotonicNanoseconds() - projected
        return seen
    }

    /// Puts the tokens of a frame into the memory and, where that is enough, into the live state.
    @_noAllocation @_noLocks
    func remember(
        _ tokens: Tensor,
        of features: Tensor,
        vision: borrowing Vision,
        position: inout FrameMemory.Position,
        statistics: inout StreamStatistics
    ) {
        var folded = tokens.rows
        switch model.memory {
        case .rolling:
            fold(tokens, into: live)
        case .changes(let gate):
            let changed = gate.changed(tokens, isFirst: frameCount == 0, in: arena)
            fold(changed, into: live)
            folded = changed.rows
        case .window(let ring, let firsts):
            let slot = ring.append(&position.ring)
            ring.tokens(inSlot: slot, in: arena).copy(from: tokens)
            position.carried += 1
            if position.carried <= ring.capacity {
                fold(tokens, into: live)
            } else {
                position.isStale = true
            }
            if let firsts {
                projectAsFirst(
                    features,
                    vision: vision,
                    into: firsts.tokens(inSlot: slot, in: arena)
                )
            }
        case .refresh(let ring, let first):
            let slot = ring.append(&position.ring)
            ring.tokens(inSlot: slot, in: arena).copy(from: tokens)
            fold(tokens, into: live)
            position.carried += 1
            // The next rebuild will begin with this frame.
            if let first, position.carried == ring.capacity + 1 {
                projectAsFirst(features, vision: vision, into: first.tokens(inSlot: 0, in: arena))
            }
            if position.carried == 2 * ring.capacity {
                position.isStale = true
                position.carried = ring.capacity
                rebuild(&position, &statistics)
            }
        case .bank(let bank):
            let merges = position.ring.count == bank.capacity
            position.ring.count = bank.append(tokens, count: position.ring.count, in: arena)
            position.carried += 1
            if merges {
                position.isStale = true
            } else {
                fold(tokens, into: live)
            }
        case .pooled(let ring, let pooling, let base):
            rollBase(ring, base: state(base), &position, &statistics)
            let slot = ring.append(&position.ring)
            pooling.pool(tokens, into: ring.tokens(inSlot: slot, in: arena))
            live.copy(from: state(base))
            fold(tokens, into: live)
        }
        statistics.tokensFolded += folded
        statistics.tokensSaved += tokens.rows - folded
    }

    /// Makes the live state what the memory says, if it is not.
    @_noAllocation @_noLocks
    func rebuild(_ position: inout FrameMemory.Position, _ statistics: inout StreamStatistics) {
        guard position.isStale else { return }
        position.isStale = false
        statistics.rebuilds += 1
        live.reset()
        let count = position.ring.count
        switch model.memory {
        case .rolling, .changes, .pooled: break
        case .window(let ring, let firsts):
            for age in 0..<count {
                let slot = ring.slot(age, at: position.ring)
                var tokens = ring.tokens(inSlot: slot, in: arena)
                if age == 0, let firsts { tokens = firsts.tokens(inSlot: slot, in: arena) }
                replay(tokens, into: live, &statistics)
            }
        case .refresh(let ring, let first):
            for age in 0..<count {
                var tokens = ring.tokens(inSlot: ring.slot(age, at: position.ring), in: arena)
                if age == 0, let first { tokens = first.tokens(inSlot: 0, in: arena) }
                replay(tokens, into: live, &statistics)
            }
        case .bank(let bank):
            for index in 0..<count {
                replay(bank.frame(index, in: arena), into: live, &statistics)
            }
        }
    }

    /// Folds the pooled tokens of the newest frame into the base, before another takes its place; at
    /// twice the capacity the base begins anew with the frames of the ring.
    @_noAllocation @_noLocks
    private func rollBase(
        _ ring: FrameRing,
        base: DecoderState,
        _ position: inout FrameMemory.Position,
        _ statistics: inout StreamStatistics
    ) {
        let count = position.ring.count
        guard count > 0 else { return }
        position.carried += 1
        guard position.carried == 2 * ring.capacity else {
            let newest = ring.slot(count - 1, at: position.ring)
            return fold(ring.tokens(inSlot: newest, in: arena), into: base)
        }
        position.carried = count
        statistics.rebuilds += 1
        base.reset()
        for age in 0..<count {
            let slot = ring.slot(age, at: position.ring)
            replay(ring.tokens(inSlot: slot, in: arena), into: base, &statistics)
        }
    }

    /// The tokens that a frame would have if none had come before it.
    @_noAllocation @_noLocks
    private func projectAsFirst(
        _ features: Tensor,
        vision: borrowing Vision,
        into out: Tensor
    ) {
        out.copy(
            from: vision.projector.project(features, isFirstFrame: true, in: arena, on: pool)
        )
    }

    @_noAllocation @_noLocks
    private func replay(
        _ tokens: Tensor,
        into state: DecoderState,
        _ statistics: inout StreamStatistics
    ) {
        fold(tokens, into: state)
        statistics.tokensReplayed += tokens.rows
    }

    @_noAllocation @_noLocks
    func fold(_ tokens: Tensor, into state: DecoderState) {
        _ = model.decoder.prefill(embeddings: tokens, state: state, in: arena, on: pool)
    }
}
