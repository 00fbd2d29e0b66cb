// SPDX-License-Identifier: Apache-2.0

/// The greatest difference of two rows of numbers; infinite if one is no number or missing.
///
/// `max` would pass over a NaN.
public func greatestDifference(
    _ found: some Collection<Float>,
    _ expected: some Collection<Float>
) -> Float {
    guard found.count == expected.count else { return .infinity }
    return zip(found, expected).reduce(0) { greatest, pair in
        let difference = abs(pair.0 - pair.1)
        return difference.isNaN ? .infinity : max(greatest, difference)
    }
}
