// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// One direction of a resize: which inputs each output sums, and with which weights.
///
///     out[i] = (2^21 + sum over t of weights[i, t] * in[starts[i] + t]) >> 22, limited to 0...255
///
/// The weights are fixed-point numbers with 22 fractional bits, made in double precision and rounded
/// to nearest: the algorithm of Pillow's `Image.resize` on bytes, so the results are equal to its.
@safe
struct ResizeAxis {
    /// The fractional bits of a weight: 32 less 8 of a sample and 2 for what a cubic overshoots.
    static let fractionBits: Int32 = 22

    /// The count of outputs.
    let outputCount: Int
    /// The largest count of inputs of an output.
    let tapLimit: Int
    /// The weights of each output, (outputs, tapLimit).
    let weights: UnsafeMutablePointer<Int32>
    /// (outputs): the first input of each.
    private let starts: UnsafeMutablePointer<Int32>
    /// (outputs): the count of inputs of each.
    private let counts: UnsafeMutablePointer<Int32>

    /// The largest count of inputs that an output sums when at most `inputLimit` shrink to
    /// `outputCount`.
    static func tapLimit(inputLimit: Int, outputCount: Int, filter: ResizeFilter) -> Int {
        let scale = max(1, Double(inputLimit) / Double(outputCount))
        return 2 * Int((filter.support * scale).rounded(.up)) + 1
    }

    /// The bytes that the tables need.
    static func byteCount(outputCount: Int, tapLimit: Int) -> Int {
        outputCount * (tapLimit + 2) * MemoryLayout<Int32>.stride
    }

    /// Tables in memory of the arena, to be filled by `prepare`.
    init(outputCount: Int, tapLimit: Int, in bytes: Bytes) {
        precondition(
            bytes.count >= ResizeAxis.byteCount(outputCount: outputCount, tapLimit: tapLimit)
        )
        self.outputCount = outputCount
        self.tapLimit = tapLimit
        // Safety: the three tables lie one after the other in bytes that were checked to suffice.
        unsafe weights = bytes.base.assumingMemoryBound(to: Int32.self)
        unsafe starts = weights + outputCount * tapLimit
        unsafe counts = starts + outputCount
    }

    /// The inputs of an output.
    func window(_ output: Int) -> Range<Int> {
        precondition(output >= 0 && output < outputCount)
        // Safety: checked.
        let start = unsafe Int(starts[output])
        return unsafe start..<start + Int(counts[output])
    }

    /// Fills the tables.
    ///
    /// - Parameters:
    ///   - inputCount: the count of pixels before the resize.
    ///   - resizedCount: the count of pixels after it.
    ///   - firstOutput: the first resized pixel that is wanted; the outputs follow from there.
    ///   - filter: the kernel.
    /// - Precondition: the outputs exist, and the picture does not shrink by more than was planned.
    func prepare(inputCount: Int, resizedCount: Int, firstOutput: Int, filter: ResizeFilter) {
        precondition(firstOutput >= 0 && outputCount <= resizedCount - firstOutput)
        let scale = Double(inputCount) / Double(resizedCount)
        let filterScale = max(1, scale)
        let support = filter.support * filterScale
        let inverse = 1 / filterScale
        for output in 0..<outputCount {
            let center = (Double(firstOutput + output) + 0.5) * scale
            let start = max(0, Int(center - support + 0.5))
            let count = min(inputCount, Int(center + support + 0.5)) - start
            precondition(count > 0 && count <= tapLimit)
            func weight(_ tap: Int) -> Double {
                filter.weight(at: (Double(tap + start) - center + 0.5) * inverse)
            }
            var sum = 0.0
            for tap in 0..<count { sum += weight(tap) }
            let one = Double(1 << ResizeAxis.fractionBits)
            for tap in 0..<count {
                let share = weight(tap) / sum * one
                // Safety: output < outputCount and tap < tapLimit.
                unsafe weights[output * tapLimit + tap] = Int32(
                    share < 0 ? share - 0.5 : share + 0.5
                )
            }
            unsafe starts[output] = Int32(start)
            unsafe counts[output] = Int32(count)
        }
    }
}
