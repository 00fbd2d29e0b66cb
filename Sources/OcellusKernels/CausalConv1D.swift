// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Causal depthwise convolution over time with a bias, then SiLU: the front of a Mamba mixer.
///
/// `out[t, c] = silu(bias[c] + sum_j weight[c, j] * x[t - (taps - 1) + j, offset + c])`, where
/// tokens before the first come from the history.
///
/// Shapes:
/// - x: (tokens, any); reads the columns `[columnOffset, columnOffset + channels)`.
/// - weight: (channels, taps), not quantised; the last tap multiplies the current token.
/// - bias: (channels), or nil.
/// - history: (taps - 1, channels), oldest first; replaced by the last inputs.
/// - out: (tokens, channels); must not overlap `x`.
@_noAllocation @_noLocks
public func causalConv1D(
    _ x: Tensor,
    columnOffset: Int,
    channels: Int,
    weight: WeightMatrix,
    bias: WeightVector?,
    history: Tensor,
    into out: Tensor,
    on pool: borrowing ThreadPool
) {
    precondition(columnOffset >= 0 && columnOffset + channels <= x.columns)
    precondition(weight.type.blockElementCount == 1)
    precondition(weight.rows == channels && weight.columns > 0)
    precondition(history.rows == weight.columns - 1 && history.columns == channels)
    precondition(out.rows == x.rows && out.columns == channels)
    precondition(bias.map { $0.count == channels } ?? true)
    // Safety: the shapes agree.
    unsafe ck_causal_conv(
        pool.handle,
        ck_causal_conv_args(
            x: x.operand,
            offset: columnOffset,
            weight: weight.operand,
            bias: bias?.base,
            history: history.operand,
            out: out.operand
        )
    )
}

/// The definition of `causalConv1D`, with f32 weights.
func causalConv1DReference(
    _ x: Tensor,
    columnOffset: Int,
    weight: Tensor,
    bias: WeightVector?,
    history: Tensor,
    into out: Tensor
) {
    let past = weight.columns - 1
    for channel in 0..<out.columns {
        func input(_ token: Int) -> Float {
            token < 0 ? history[token + past, channel] : x[token, columnOffset + channel]
        }
        for token in 0..<out.rows {
            var sum = Double(bias?[channel] ?? 0)
            for tap in 0...past {
                sum += Double(weight[channel, tap]) * Double(input(token - past + tap))
            }
            out[token, channel] = Activation.silu.reference(Float(sum))
        }
        for row in 0..<past { history[row, channel] = input(x.rows - past + row) }
    }
}
