// SPDX-License-Identifier: Apache-2.0

/// The kernel of a resize; both are widened when the picture shrinks, so that nothing aliases.
public enum ResizeFilter: Sendable {
    /// A triangle over two pixels.
    case bilinear
    /// A cubic over four pixels with a = -1/2.
    case bicubic

    /// Half the width of the kernel in output pixels.
    var support: Double {
        switch self {
        case .bilinear: 1
        case .bicubic: 2
        }
    }

    /// The weight of an input at a distance, in output pixels.
    ///
    /// - Source: Keys 1981, "Cubic convolution interpolation for digital image processing", eq. 15
    ///   with a = -1/2.
    func weight(at distance: Double) -> Double {
        let x = abs(distance)
        switch self {
        case .bilinear:
            return x < 1 ? 1 - x : 0
        case .bicubic:
            let a = -0.5
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        }
    }
}
