// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Mamba's selective scan, with the step size before it and the gate after it.
///
/// Per token `t`, channel `i` and state `n`, with `Δ = softplus(delta[t, i] + deltaBias[i])`:
///
///     h[i, n] = exp(Δ a[i, n]) h[i, n] + Δ b[t, n] u[t, i]
///     out[t, i] = (sum_n c[t, n] h[i, n] + d[i] u[t, i]) silu(z[t, i])
///
/// The discretisation is Mamba's own: zero-order hold for `a`, Euler for `b`.
///
/// Shapes:
/// - u: (tokens, channels), after the convolution and SiLU.
/// - delta: (tokens, channels), before the bias and softplus.
/// - deltaBias: (channels).
/// - a: (channels, states) in f32, `-exp(A_log)`.
/// - bc: (tokens, any); `b` and `c` are the columns at their offsets, `states` wide.
/// - d: (channels).
/// - gates: (tokens, any); `z` is the columns at its offset. Nil for a scan without a gate.
/// - h: (channels, states), carried from call to call.
/// - out: (tokens, channels); may be `u` or `delta`.
@_noAllocation @_noLocks
public func selectiveScan(
    u: Tensor,
    delta: Tensor,
    deltaBias: WeightVector,
    a: WeightMatrix,
    bc: Tensor,
    bOffset: Int,
    cOffset: Int,
    d: WeightVector,
    gates: Tensor?,
    zOffset: Int = 0,
    state h: Tensor,
    into out: Tensor,
    on pool: borrowing ThreadPool
) {
    let (tokens, channels, states) = (u.rows, u.columns, h.columns)
    precondition(delta.rows == tokens && delta.columns == channels)
    precondition(out.rows == tokens && out.columns == channels)
    precondition(deltaBias.count == channels && d.count == channels && h.rows == channels)
    precondition(a.type == .f32 && a.rows == channels && a.columns == states)
    precondition(bc.rows == tokens && bOffset >= 0 && cOffset >= 0)
    precondition(bOffset + states <= bc.columns && cOffset + states <= bc.columns)
    if let gates {
        precondition(gates.rows == tokens)
        precondition(zOffset >= 0 && zOffset + channels <= gates.columns)
    }
    // Safety: the shapes agree, and a holds floats.
    unsafe ck_selective_scan(
        pool.handle,
        ck_selective_scan_args(
            u: u.operand,
            delta: delta.operand,
            delta_bias: deltaBias.base,
            a: a.base.assumingMemoryBound(to: Float.self),
            bc: bc.operand,
            b_offset: bOffset,
            c_offset: cOffset,
            d: d.base,
            gates: gates?.operand ?? ck_tensor(),
            z_offset: zOffset,
            h: h.operand,
            out: out.operand
        )
    )
}

/// The definition of `selectiveScan`, step by step.
///
/// Shapes:
/// - a: (channels, states).
func selectiveScanReference(
    u: Tensor,
    delta: Tensor,
    deltaBias: WeightVector,
    a: Tensor,
    bc: Tensor,
    bOffset: Int,
    cOffset: Int,
    d: WeightVector,
    gates: Tensor,
    zOffset: Int,
    state h: Tensor,
    into out: Tensor
) {
    for token in 0..<u.rows {
        for channel in 0..<u.columns {
            let input = Double(u[token, channel])
            let step = softplusReference(Double(delta[token, channel] + deltaBias[channel]))
            var sum = Double(d[channel]) * input
            for n in 0..<h.columns {
                let decay = exponential(step * Double(a[channel, n]))
                let next =
                    decay * Double(h[channel, n]) + step * Double(bc[token, bOffset + n]) * input
                h[channel, n] = Float(next)
                sum += next * Double(bc[token, cOffset + n])
            }
            let gate = Activation.silu.reference(gates[token, zOffset + channel])
            out[token, channel] = Float(sum) * gate
        }
    }
}
