// SPDX-License-Identifier: Apache-2.0
import OcellusImage
import OcellusKernels
import OcellusMemory
import OcellusModels

/// How long the parts of a model take on this machine: the raw times of `Session.measure`.
public struct Measurement: Sendable {
    /// The kernels that were chosen at start.
    public let instructionSet: String
    /// One time per run, in nanoseconds.
    public internal(set) var prefill: [Int64] = []
    /// One time per run, in nanoseconds.
    public internal(set) var decode: [Int64] = []
    /// One entry per stage of a frame, with one time per frame, in nanoseconds; empty without
    /// vision.
    public internal(set) var frameStages: [(name: String, nanoseconds: [Int64])] = []
}

extension Session {
    /// Measures prefill, decode and the stages of a frame, after one run that is not counted.
    ///
    /// The live state is reset before and after.
    public mutating func measure(
        prefillCount: Int,
        decodeCount: Int,
        runCount: Int
    ) -> Measurement {
        var result = Measurement(instructionSet: instructionSetName())
        let vocabularySize = model.decoder.configuration.vocabularySize
        var tokens: [Int] = []
        for position in 0..<prefillCount { tokens.append(position &* 7919 % vocabularySize) }
        reset()
        for run in 0...runCount {
            fork.copy(from: live)
            let start = monotonicNanoseconds()
            var hidden = model.decoder.prefill(tokens, state: fork, in: arena, on: pool)
            let read = monotonicNanoseconds()
            for _ in 0..<decodeCount {
                let token = argmax(model.decoder.logits(of: hidden, in: arena, on: pool))
                hidden = model.decoder.step(token, state: fork, in: arena, on: pool)
            }
            let written = monotonicNanoseconds()
            guard run > 0 else { continue }
            result.prefill.append(read - start)
            result.decode.append(written - read)
        }
        measureFrames(4 * runCount, into: &result)
        reset()
        return result
    }

    private mutating func measureFrames(_ count: Int, into result: inout Measurement) {
        guard let frame = noiseFrame() else { return }
        var stages: [(name: String, nanoseconds: [Int64])] = [
            ("preprocess", []), ("encode", []), ("project", []), ("fold", []),
        ]
        for run in 0...count {
            guard (try? see(frame)) != nil, run > 0 else { continue }
            stages[0].nanoseconds.append(lastFrameTimes.preprocess)
            stages[1].nanoseconds.append(lastFrameTimes.encode)
            stages[2].nanoseconds.append(lastFrameTimes.project)
            stages[3].nanoseconds.append(lastFrameTimes.fold)
        }
        result.frameStages = stages
    }

    /// A frame of 640 x 480, or the largest planned, of seeded noise in the session's slot.
    private func noiseFrame() -> Frame? {
        guard let slot = frameSlot else { return nil }
        let maximum = model.options.maximumFrame
        let size = ImageSize(width: min(640, maximum.width), height: min(480, maximum.height))
        var random = RandomNumbers(seed: 1)
        for offset in 0..<size.frameByteCount { slot[offset] = UInt8(random.nextUnit() * 255) }
        return Frame(slot, size: size, format: .rgb24)
    }
}
