// SPDX-License-Identifier: Apache-2.0

/// Tries many ways to turn the values of a group into quants, and sums what each needs to be judged.
///
/// One lane per candidate, so that nothing is summed across lanes and loops become vector code.
struct CandidateSums {
    /// How many candidates there are.
    static let count = 32

    /// Of one candidate, with the weight of each value: the sums of the quants, of their squares, and
    /// of their products with the values.
    struct Lane {
        var q1: Float
        var q2: Float
        var xq: Float
    }

    /// One per candidate.
    private(set) var lanes: [Lane] = []

    /// Sums over all values.
    ///
    /// The quants of candidate `c` are `(x - shift) * (first + step * c)`, rounded, halves to even, and
    /// clamped to the range.
    init(
        _ x: UnsafeBufferPointer<Float>,
        importance: UnsafeBufferPointer<Float>?,
        shift: Float,
        first: Float,
        step: Float,
        range: ClosedRange<Float>
    ) {
        let count = Self.count
        let (low, high) = (range.lowerBound, range.upperBound)
        let magic: Float = 0x1.8p23  // added and subtracted, it rounds magnitudes below 2^22
        lanes.reserveCapacity(count)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 4 * count) { scratch in
            scratch.initialize(repeating: 0)
            guard let inverse = scratch.baseAddress else { return }
            let (q1, q2, xq) = (inverse + count, inverse + 2 * count, inverse + 3 * count)
            for lane in 0..<count { inverse[lane] = first + step * Float(lane) }
            for index in x.indices {
                let value = x[index]
                let shifted = value - shift
                let weight = importance?[index] ?? 1
                for lane in 0..<count {
                    var quant = (inverse[lane] * shifted + magic) - magic
                    quant = quant < low ? low : quant
                    quant = quant > high ? high : quant
                    let weighted = quant * weight
                    q1[lane] += weighted
                    q2[lane] += weighted * quant
                    xq[lane] += weighted * value
                }
            }
            for lane in 0..<count { lanes.append(Lane(q1: q1[lane], q2: q2[lane], xq: xq[lane])) }
        }
    }
}
