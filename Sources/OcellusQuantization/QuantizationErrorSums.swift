// SPDX-License-Identifier: Apache-2.0

/// How far rounded weights are from the original ones.
public struct QuantizationErrorSums: Sendable {
    private struct Squares {
        var errors = 0.0
        var weights = 0.0

        var relativeRMS: Double { weights > 0 ? (errors / weights).squareRoot() : 0 }

        mutating func add(_ other: Squares) {
            errors += other.errors
            weights += other.weights
        }
    }

    private var squares = Squares()
    /// Each square counted by the importance of its column.
    private var importantSquares = Squares()

    /// No weight yet.
    public init() {}

    /// The root mean square of the differences, relative to that of the weights.
    public var relativeRMS: Double { squares.relativeRMS }

    /// The root mean square of the differences, relative to that of the weights, by importance.
    ///
    /// If that is the mean square of inputs that do not depend on each other, this is how far the
    /// products with them are off.
    public var relativeProductRMS: Double { importantSquares.relativeRMS }

    /// Adds what was found in other weights.
    public mutating func add(_ other: QuantizationErrorSums) {
        squares.add(other.squares)
        importantSquares.add(other.importantSquares)
    }

    /// Adds one weight.
    mutating func add(_ original: Float, _ rounded: Float, importance: Float = 1) {
        let difference = Double(original) - Double(rounded)
        let found = Squares(
            errors: difference * difference,
            weights: Double(original) * Double(original)
        )
        let count = Double(importance)
        squares.add(found)
        importantSquares.add(Squares(errors: count * found.errors, weights: count * found.weights))
    }
}
