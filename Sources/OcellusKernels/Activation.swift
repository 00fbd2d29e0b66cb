// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// A function that is applied to each element.
public enum Activation: Sendable {
    /// `x`
    case none
    /// `max(x, 0)`
    case relu
    /// `min(max(x, 0), 6)`
    case relu6
    /// `x * sigmoid(x)`
    case silu
    /// `x * Φ(x)`, with the exact normal distribution.
    case geluErf
    /// `x * (1 + tanh(sqrt(2 / π) (x + 0.044715 x³))) / 2`
    case geluTanh
    /// `x * sigmoid(1.702 x)`
    case quickGelu
    /// `1 / (1 + exp(-x))`
    case sigmoid
    /// `x * hardSigmoid(x)`
    case hardSwish
    /// `min(max((x + 3) / 6, 0), 1)`
    case hardSigmoid

    var code: Int32 {
        switch self {
        case .none: Int32(CK_NONE.rawValue)
        case .relu: Int32(CK_RELU.rawValue)
        case .relu6: Int32(CK_RELU6.rawValue)
        case .silu: Int32(CK_SILU.rawValue)
        case .geluErf: Int32(CK_GELU_ERF.rawValue)
        case .geluTanh: Int32(CK_GELU_TANH.rawValue)
        case .quickGelu: Int32(CK_QUICK_GELU.rawValue)
        case .sigmoid: Int32(CK_SIGMOID.rawValue)
        case .hardSwish: Int32(CK_HARD_SWISH.rawValue)
        case .hardSigmoid: Int32(CK_HARD_SIGMOID.rawValue)
        }
    }
}

/// Applies a function to each element in place.
///
/// `x = activation(x)`
///
/// Exponentials are polynomials. The result is within 1e-6 of the exact function, relative to the
/// greater of 1e-3 and its magnitude; NaN stays NaN.
@_noAllocation @_noLocks
public func activate(_ x: Tensor, _ activation: Activation, on pool: borrowing ThreadPool) {
    // Safety: the kernel stays inside x.
    unsafe ck_activate(
        pool.handle,
        ck_activate_args(x: x.operand, activation: activation.code)
    )
}
