// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Root-mean-square norm of each row.
///
/// `out = x / sqrt(mean(x²) + epsilon) * weight`
///
/// Shapes:
/// - x: (rows, width).
/// - weight: (width), or nil for ones.
/// - out: (rows, width); may be `x`.
@_noAllocation @_noLocks
public func rmsNorm(
    _ x: Tensor,
    weight: WeightVector?,
    epsilon: Float,
    into out: Tensor,
    on pool: borrowing ThreadPool
) {
    precondition(x.rows == out.rows && x.columns == out.columns)
    precondition(weight == nil || weight?.count == x.columns)
    // Safety: the shapes agree.
    unsafe ck_rms_norm(
        pool.handle,
        ck_norm_args(
            x: x.operand,
            weight: weight?.base,
            bias: nil,
            epsilon: epsilon,
            out: out.operand
        )
    )
}

/// Layer norm of each row.
///
/// `out = (x - mean) / sqrt(variance + epsilon) * weight + bias`
///
/// Shapes:
/// - x: (rows, width).
/// - weight: (width).
/// - bias: (width).
/// - out: (rows, width); may be `x`.
@_noAllocation @_noLocks
public func layerNorm(
    _ x: Tensor,
    weight: WeightVector,
    bias: WeightVector,
    epsilon: Float,
    into out: Tensor,
    on pool: borrowing ThreadPool
) {
    precondition(x.rows == out.rows && x.columns == out.columns)
    precondition(weight.count == x.columns && bias.count == x.columns)
    // Safety: the shapes agree.
    unsafe ck_layer_norm(
        pool.handle,
        ck_norm_args(
            x: x.operand,
            weight: weight.base,
            bias: bias.base,
            epsilon: epsilon,
            out: out.operand
        )
    )
}

/// Mamba-2's gate and norm: `v = y * silu(z)`, then `rmsNorm` within each of equal groups of a row.
///
/// Shapes:
/// - y: (tokens, width).
/// - z: (tokens, any); its columns from `gateOffset` on are the gate.
/// - weight: (width).
/// - groupCount: a divisor of the width.
/// - out: (tokens, width); may be `y`.
@_noAllocation @_noLocks
public func gatedRMSNorm(
    _ y: Tensor,
    gate z: Tensor,
    gateOffset: Int = 0,
    weight: WeightVector,
    groupCount: Int,
    epsilon: Float,
    into out: Tensor,
    on pool: borrowing ThreadPool
) {
    precondition(y.rows == out.rows && y.columns == out.columns && z.rows == y.rows)
    precondition(gateOffset >= 0 && gateOffset + y.columns <= z.columns)
    precondition(groupCount > 0 && y.columns % groupCount == 0 && weight.count == y.columns)
    // Safety: the shapes agree.
    unsafe ck_gated_rms_norm(
        pool.handle,
        ck_gated_norm_args(
            y: y.operand,
            gates: z.operand,
            z_offset: gateOffset,
            weight: weight.base,
            groups: groupCount,
            epsilon: epsilon,
            out: out.operand
        )
    )
}

/// The definition of `rmsNorm`, with f64 sums.
func rmsNormReference(_ x: Tensor, weight: WeightVector?, epsilon: Float, into out: Tensor) {
    for row in 0..<x.rows {
        var sum = 0.0
        for column in 0..<x.columns { sum += Double(x[row, column]) * Double(x[row, column]) }
        let scale = 1 / (sum / Double(x.columns) + Double(epsilon)).squareRoot()
        for column in 0..<x.columns {
            out[row, column] = Float(Double(x[row, column]) * scale) * (weight?[column] ?? 1)
        }
    }
}

/// The definition of `layerNorm`, with f64 sums.
func layerNormReference(
    _ x: Tensor,
    weight: WeightVector,
    bias: WeightVector,
    epsilon: Float,
    into out: Tensor
) {
    for row in 0..<x.rows {
        var mean = 0.0
        for column in 0..<x.columns { mean += Double(x[row, column]) / Double(x.columns) }
        var variance = 0.0
        for column in 0..<x.columns {
            let deviation = Double(x[row, column]) - mean
            variance += deviation * deviation / Double(x.columns)
        }
        let scale = 1 / (variance + Double(epsilon)).squareRoot()
        for column in 0..<x.columns {
            let standardised = Float((Double(x[row, column]) - mean) * scale)
            out[row, column] = standardised * weight[column] + bias[column]
        }
    }
}

/// The definition of `gatedRMSNorm`, group by group.
func gatedRMSNormReference(
    _ y: Tensor,
    gate z: Tensor,
    gateOffset: Int,
    weight: WeightVector,
    groupCount: Int,
    epsilon: Float,
    into out: Tensor
) {
    let width = y.columns / groupCount
    for row in 0..<y.rows {
        for first in stride(from: 0, to: y.columns, by: width) {
            var sum = 0.0
            for column in first..<first + width {
                let gate = Activation.silu.reference(z[row, gateOffset + column])
                out[row, column] = y[row, column] * gate
                sum += Double(out[row, column]) * Double(out[row, column])
            }
            let scale = 1 / (sum / Double(width) + Double(epsilon)).squareRoot()
            for column in first..<first + width {
                out[row, column] = Float(Double(out[row, column]) * scale) * weight[column]
            }
        }
    }
}
