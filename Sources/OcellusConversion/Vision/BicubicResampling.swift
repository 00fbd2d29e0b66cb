// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Learned positions of a square grid for a grid of another size, as PyTorch's `interpolate` with mode
/// "bicubic" and `align_corners` off computes them.
///
/// With antialias, as timm and DINOv2 with registers have it, the kernel is Keys' with a = -0.5 and as
/// wide as the step; without, as DINOv2 of transformers has it, a = -0.75 and four taps.
struct BicubicResampling {
    /// Per output the first input and the weights from there on.
    private let taps: [(first: Int, weights: [Float])]
    private let inputSide: Int

    /// Makes the weights for one direction; both are alike.
    init(from inputSide: Int, to outputSide: Int, antialias: Bool) {
        self.inputSide = inputSide
        let scale = Double(inputSide) / Double(outputSide)
        taps = (0..<outputSide).map { output in
            let center = (Double(output) + 0.5) * scale
            return antialias
                ? Self.wide(center, scale: max(scale, 1), limit: inputSide)
                : Self.narrow(center - 0.5, limit: inputSide)
        }
    }

    /// - Shapes: grid (inputSide², width); the result (outputSide², width).
    func callAsFunction(_ grid: some RandomAccessCollection<Float>, width: Int) -> [Float] {
        let grid = Array(grid)
        let side = taps.count
        var columns = [Float](repeating: 0, count: inputSide * side * width)
        for row in 0..<inputSide {
            for (output, tap) in taps.enumerated() {
                for (index, weight) in tap.weights.enumerated() {
                    let from = (row * inputSide + tap.first + index) * width
                    let to = (row * side + output) * width
                    for channel in 0..<width {
                        columns[to + channel] += weight * grid[from + channel]
                    }
                }
            }
        }
        var result = [Float](repeating: 0, count: side * side * width)
        for (output, tap) in taps.enumerated() {
            for (index, weight) in tap.weights.enumerated() {
                let from = (tap.first + index) * side * width
                let to = output * side * width
                for element in 0..<side * width {
                    result[to + element] += weight * columns[from + element]
                }
            }
        }
        return result
    }

    private static func wide(
        _ center: Double,
        scale: Double,
        limit: Int
    ) -> (first: Int, weights: [Float]) {
        let support = 2 * scale
        let first = max(Int(center - support + 0.5), 0)
        let end = min(Int(center + support + 0.5), limit)
        let weights = (first..<end).map { keys((Double($0) - center + 0.5) / scale, a: -0.5) }
        let sum = weights.reduce(0, +)
        return (first, weights.map { Float($0 / sum) })
    }

    /// Four taps around a position; those outside go to the edge.
    private static func narrow(_ position: Double, limit: Int) -> (first: Int, weights: [Float]) {
        let start = Int(position.rounded(.down)) - 1
        let first = min(max(start, 0), limit - 1)
        var weights = [Float](repeating: 0, count: min(max(start + 3, 0), limit - 1) - first + 1)
        for tap in start..<start + 4 {
            let inside = min(max(tap, 0), limit - 1)
            weights[inside - first] += Float(keys(position - Double(tap), a: -0.75))
        }
        return (first, weights)
    }

    /// The cubic convolution kernel.
    ///
    /// - Source: Keys 1981, equation 4.
    private static func keys(_ x: Double, a: Double) -> Double {
        let x = abs(x)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    }
}
