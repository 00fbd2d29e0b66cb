// SPDX-License-Identifier: Apache-2.0

/// What a group of weights is fitted to: `value = scale * quant + minimum`.
struct AffineFit {
    var scale: Float
    /// Never positive, so that zero is close to a value.
    var minimum: Float
}

/// The scale and the minimum with the least squared error for quants in 0...15.
///
/// The mapping from the range of the values to the quants is tried in 32 widths around the obvious
/// one. For the quants that each gives, the best scale and minimum are those of a linear regression;
/// the candidate with the least error is taken.
///
/// - Parameters:
///   - x: The values.
///   - importance: How much the square of each error counts, or nil if all count alike.
/// - Returns: The fit.
func affineFit(
    _ x: UnsafeBufferPointer<Float>,
    importance: UnsafeBufferPointer<Float>?
) -> AffineFit {
    let levels: Float = 15
    var low: Float = 0
    var high = x[0]
    var (total, x1, x2): (Float, Float, Float) = (0, 0, 0)
    for index in x.indices {
        let (value, weight) = (x[index], importance?[index] ?? 1)
        low = min(low, value)
        high = max(high, value)
        total += weight
        x1 += weight * value
        x2 += weight * value * value
    }
    guard high > low else { return AffineFit(scale: 0, minimum: low) }

    let width = high - low
    let sums = CandidateSums(
        x,
        importance: importance,
        shift: low,
        first: (levels - 2.1) / width,
        step: 0.1 / width,
        range: 0...levels
    )
    var best = AffineFit(scale: width / levels, minimum: low)
    var leastError = Float.infinity
    for lane in sums.lanes {
        let (q1, q2, xq) = (lane.q1, lane.q2, lane.xq)
        let determinant = total * q2 - q1 * q1
        guard determinant > 0 else { continue }
        var fit = AffineFit(
            scale: (total * xq - x1 * q1) / determinant,
            minimum: (q2 * x1 - q1 * xq) / determinant
        )
        if fit.minimum > 0 {
            fit = AffineFit(scale: xq / q2, minimum: 0)
        }
        let (s, m) = (fit.scale, fit.minimum)
        let error = x2 - 2 * s * xq - 2 * m * x1 + s * s * q2 + 2 * s * m * q1 + m * m * total
        if error < leastError, s > 0 {
            leastError = error
            best = fit
        }
    }
    return best
}

/// The scale with the least squared error for quants in -levels...levels - 1.
///
/// The value of the greatest magnitude is mapped to 32 places around -levels. For the quants that each
/// gives, the best scale is `sum(x q) / sum(q^2)`, which leaves `sum(x^2) - sum(x q)^2 / sum(q^2)`.
///
/// - Parameters:
///   - x: The values.
///   - levels: Half of the count of quants.
///   - importance: How much the square of each error counts, or nil if all count alike.
/// - Returns: The scale, which has the sign of minus the value of the greatest magnitude.
func linearFit(
    _ x: UnsafeBufferPointer<Float>,
    levels: Float,
    importance: UnsafeBufferPointer<Float>?
) -> Float {
    var extreme: Float = 0
    for value in x where abs(value) > abs(extreme) { extreme = value }
    guard abs(extreme) > .leastNormalMagnitude else { return 0 }

    let sums = CandidateSums(
        x,
        importance: importance,
        shift: 0,
        first: -(levels + 1.6) / extreme,
        step: 0.1 / extreme,
        range: -levels...levels - 1
    )
    var best: Float = 0
    var mostExplained: Float = 0
    for lane in sums.lanes where lane.q2 > 0 {
        let explained = lane.xq * lane.xq / lane.q2
        if explained > mostExplained {
            mostExplained = explained
            best = lane.xq / lane.q2
        }
    }
    return best
}
