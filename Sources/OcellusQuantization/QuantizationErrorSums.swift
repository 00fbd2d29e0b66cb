// SPDX-License-Identifier: Apache-2.0

/// How far rounded weights are from the original ones.
public struct QuantizationErrorSums: Sendable {
    /// The sum of the squared differences.
    public private(set) var squaredErrors = 0.0
    /// The sum of the squared weights.
    public private(set) var squaredWeights = 0.0

    /// No weight yet.
    public init() {}

    /// The root mean square of the differences, relative to that of the weights.
    public var relativeRMS: Double {
        squaredWeights > 0 ? (squaredErrors / squaredWeights).squareRoot() : 0
    }

    /// Adds what was found in other weights.
    public mutating func add(_ other: QuantizationErrorSums) {
        squaredErrors += other.squaredErrors
        squaredWeights += other.squaredWeights
    }

    /// Adds one weight.
    mutating func add(_ original: Float, _ rounded: Float) {
        let difference = Double(original) - Double(rounded)
        squaredErrors += difference * difference
        squaredWeights += Double(original) * Double(original)
    }
}
