// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusFormat
import OcellusImage
import OcellusKernels
import OcellusMemory
import OcellusModels

extension Session {
    /// Measures prefill, decode, the reading of the weights and the stages of a frame, each after one
    /// run that is not counted.
    ///
    /// The tokens and the picture are seeded noise. The live state is reset before and after.
    public mutating func measure(_ options: Measurement.Options) -> Measurement {
        var result = Measurement(instructionSet: instructionSetName())
        let clock = Clock(countsProcessorTime: options.countsProcessorTime)
        let weights = Self.decodedWeights(model.decoderFile)
        result.weightByteCount = weights.reduce(0) { $0 + $1.byteCount }
        let vocabularySize = model.decoder.configuration.vocabularySize
        let tokens = (0..<options.prefillCount).map { $0 &* 7919 % vocabularySize }
        reset()
        for run in 0...options.runCount {
            fork.copy(from: live)
            let start = clock.now()
            var hidden = model.decoder.prefill(tokens, state: fork, in: arena, on: pool)
            let read = clock.now()
            var token = argmax(model.decoder.logits(of: hidden, in: arena, on: pool))
            let first = clock.now()
            var answer: [Int] = []
            answer.reserveCapacity(options.decodeCount)
            for _ in 0..<options.decodeCount {
                answer.append(token)
                hidden = model.decoder.step(token, state: fork, in: arena, on: pool)
                token = argmax(model.decoder.logits(of: hidden, in: arena, on: pool))
            }
            let written = clock.now()
            if model.decoder.draftLength > 0 {
                rewrite(answer)
                if run > 0 { result.drafted.nanoseconds.append(clock.now() - written) }
            }
            let reading = clock.now()
            for matrix in weights { readWeights(matrix, on: pool) }
            let end = clock.now()
            guard run > 0 else { continue }
            result.prefill.nanoseconds.append(read - start)
            result.firstToken.nanoseconds.append(first - start)
            result.decode.nanoseconds.append(written - first)
            result.read.nanoseconds.append(end - reading)
        }
        if options.recordsKernels {
            result.prefill.profile = profile {
                _ = model.decoder.prefill(tokens, state: fork, in: arena, on: pool)
            }
            result.decode.profile = profile {
                let hidden = model.decoder.step(0, state: fork, in: arena, on: pool)
                _ = model.decoder.logits(of: hidden, in: arena, on: pool)
            }
        }
        result.frame = measureFrame(options, clock)
        reset()
        return result
    }

    /// Reads tokens as if each had been drafted.
    private func rewrite(_ tokens: [Int]) {
        guard let trail else { return }
        for start in stride(from: 0, to: tokens.count, by: 1 + model.decoder.draftLength) {
            let run = tokens[start...].prefix(1 + model.decoder.draftLength)
            let hidden = model.decoder.step(
                tokens[start],
                draft: Array(run.dropFirst()),
                state: fork,
                trail: trail,
                in: arena,
                on: pool
            )
            _ = model.decoder.logits(of: hidden, in: arena, on: pool)
        }
    }

    /// The clock of a measurement.
    private struct Clock {
        let countsProcessorTime: Bool

        func now() -> Int64 {
            countsProcessorTime ? clibc_thread_nanoseconds() : monotonicNanoseconds()
        }
    }

    /// The matrices that a step of the decoder reads whole, in the order of the file.
    private static func decodedWeights(_ file: borrowing ModelFile) -> [WeightMatrix] {
        let hasHead = file.hasTensor("output.weight")
        var weights: [WeightMatrix] = []
        for tensor in file.tensors where !(hasHead && tensor.name == "token_embd.weight") {
            if let matrix = try? file.matrix(tensor.name) { weights.append(matrix) }
        }
        return weights
    }

    private func profile(_ run: () -> Void) -> KernelProfile {
        KernelProfile(limit: 1 << 16, during: run)
    }

    /// The stages of a frame that is seeded noise.
    private mutating func measureFrame(
        _ options: Measurement.Options,
        _ clock: Clock
    ) -> [Measurement.Stage] {
        guard let vision = model.vision, let frame = noiseFrame() else { return [] }
        var stages = [
            Measurement.Stage("preprocess"), Measurement.Stage("encode"),
            Measurement.Stage("project"), Measurement.Stage("fold"),
        ]
        for run in 0...4 * options.runCount {
            vision.encoder.forget(in: arena)
            var times = [clock.now()]
            vision.preprocessor.run(frame, crop: nil, into: arena[vision.pixels], in: arena)
            times.append(clock.now())
            let features = vision.encoder.encode(in: arena, on: pool)
            times.append(clock.now())
            let tokens = vision.projector.project(
                features,
                isFirstFrame: run == 0,
                in: arena,
                on: pool
            )
            times.append(clock.now())
            fold(tokens, into: live)
            times.append(clock.now())
            guard run > 0 else { continue }
            for stage in 0..<4 {
                stages[stage].nanoseconds.append(times[stage + 1] - times[stage])
            }
        }
        if options.recordsKernels {
            vision.preprocessor.run(frame, crop: nil, into: arena[vision.pixels], in: arena)
            vision.encoder.forget(in: arena)
            var features: Tensor?
            stages[1].profile = profile { features = vision.encoder.encode(in: arena, on: pool) }
            if let features {
                stages[2].profile = profile {
                    _ = vision.projector.project(
                        features,
                        isFirstFrame: false,
                        in: arena,
                        on: pool
                    )
                }
            }
        }
        return stages
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
