// SPDX-License-Identifier: Apache-2.0

// The exact functions behind the kernels' polynomials, for the references. They are computed from
// series, as the runtime has no dependency on the C mathematics library here.

extension Activation {
    /// The value at one point, to f32 precision.
    func reference(_ x: Float) -> Float {
        let y = Double(x)
        switch self {
        case .none: return x
        case .relu: return x < 0 ? 0 : x
        case .relu6: return x < 0 ? 0 : x > 6 ? 6 : x
        case .silu: return Float(y / (1 + exponential(-y)))
        case .geluErf: return Float(y * complementaryErrorFunction(-y / 2.0.squareRoot()) / 2)
        case .geluTanh:
            let u = (2 / Double.pi).squareRoot() * (y + 0.044715 * y * y * y)
            return Float(y / (1 + exponential(-2 * u)))
        case .quickGelu: return Float(y / (1 + exponential(-1.702 * y)))
        case .sigmoid: return Float(1 / (1 + exponential(-y)))
        case .hardSwish: return x * Activation.hardSigmoid.reference(x)
        case .hardSigmoid:
            let shifted = (x + 3) / 6
            return shifted < 0 ? 0 : shifted > 1 ? 1 : shifted
        }
    }
}

/// `exp(x)`: the Taylor series at `|x| / 2^10`, squared ten times; infinity or 0 beyond |x| = 700.
func exponential(_ x: Double) -> Double {
    if x < 0 { return 1 / exponential(-x) }
    if x > 700 { return .infinity }
    let r = x / 1024
    var term = 1.0
    var rest = 0.0  // exp(r) - 1, which keeps its precision through the squarings
    for n in 1...12 {
        term *= r / Double(n)
        rest += term
    }
    for _ in 0..<10 { rest = rest * (2 + rest) }
    return 1 + rest
}

/// `log(1 + exp(x))`, linear above 20 where both agree in f32.
func softplusReference(_ x: Double) -> Double {
    if x > 20 { return x }
    if x < -40 { return exponential(x) }
    // Newton's iteration for exp(y) = 1 + exp(x), from above.
    let target = 1 + exponential(x)
    if x < -15 { return exponential(x) * (1 - exponential(x) / 2) }
    var y = x > 0 ? x + 0.7 : 0.7
    for _ in 0..<60 { y -= 1 - target * exponential(-y) }
    return y
}

/// `erfc(x)`: a power series near zero, a continued fraction in the tail.
func complementaryErrorFunction(_ x: Double) -> Double {
    if x < 0 { return 2 - complementaryErrorFunction(-x) }
    if x > 26 { return 0 }
    let factor = exponential(-x * x) / Double.pi.squareRoot()
    if x < 2.5 {
        // erf(x) = 2 / sqrt(π) exp(-x²) sum of 2^n x^(2n+1) / (2n+1)!!
        var term = x
        var sum = x
        for n in 1...80 {
            term *= 2 * x * x / Double(2 * n + 1)
            sum += term
        }
        return 1 - 2 * factor * sum
    }
    // erfc(x) = exp(-x²) / sqrt(π) / (x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...))))
    var tail = x
    for n in stride(from: 120, through: 1, by: -1) { tail = x + Double(n) / 2 / tail }
    return factor / tail
}
