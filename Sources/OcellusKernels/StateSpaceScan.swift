// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Mamba-2's scan: one decay per head, a state of (headWidth, dState) each; no gate.
///
/// Per token `t` and head, with `Δ = softplus(dt[t, head] + dtBias[head])`, the head's `x`
/// (headWidth) and its group's `b` and `c` (dState):
///
///     h = exp(Δ a) h + Δ x bᵀ
///     out[t, head] = h c + d x
///
/// Shapes:
/// - xbc: (tokens, channels + 2 * groupCount * dState) after the convolution and SiLU, in the
///   order x | b | c.
/// - projected: (tokens, any); `dt` is the columns at `dtOffset`, one per head.
/// - dtBias: (headCount).
/// - a: (headCount), `-exp(A_log)`.
/// - d: (headCount).
/// - groupCount: a divisor of `headCount`; head `i` reads group `i / (headCount / groupCount)`.
/// - h: (channels, dState), carried from call to call.
/// - out: (tokens, channels); must not overlap `xbc`.
///
/// Many tokens are computed in chunks, as matrix products, which sum in another order.
///
/// - Source: Dao and Gu 2024, section 6.
@_noAllocation @_noLocks
public func stateSpaceScan(
    xbc: Tensor,
    projected: Tensor,
    dtOffset: Int,
    dtBias: WeightVector,
    a: WeightVector,
    d: WeightVector,
    headCount: Int,
    groupCount: Int,
    dState: Int,
    state h: Tensor,
    into out: Tensor,
    on pool: borrowing ThreadPool
) {
    precondition(headCount > 0 && groupCount > 0 && headCount % groupCount == 0)
    precondition(out.columns % headCount == 0 && out.rows == xbc.rows)
    precondition(xbc.columns == out.columns + 2 * groupCount * dState)
    precondition(projected.rows == xbc.rows && dtOffset >= 0)
    precondition(dtOffset + headCount <= projected.columns)
    precondition(dtBias.count == headCount && a.count == headCount && d.count == headCount)
    precondition(h.rows == out.columns && h.columns == dState)
    // Safety: the shapes agree.
    unsafe ck_state_space_scan(
        pool.handle,
        ck_state_space_scan_args(
            xbc: xbc.operand,
            projected: projected.operand,
            dt_offset: dtOffset,
            dt_bias: dtBias.base,
            a: a.base,
            d: d.base,
            heads: headCount,
            groups: groupCount,
            h: h.operand,
            out: out.operand
        )
    )
}

/// The definition of `stateSpaceScan`, step by step.
func stateSpaceScanReference(
    xbc: Tensor,
    projected: Tensor,
    dtOffset: Int,
    dtBias: WeightVector,
    a: WeightVector,
    d: WeightVector,
    headCount: Int,
    groupCount: Int,
    state h: Tensor,
    into out: Tensor
) {
    let states = h.columns
    let headWidth = out.columns / headCount
    for token in 0..<xbc.rows {
        for channel in 0..<out.columns {
            let head = channel / headWidth
            let bOffset = out.columns + head / (headCount / groupCount) * states
            let cOffset = bOffset + groupCount * states
            let input = Double(xbc[token, channel])
            let step = softplusReference(
                Double(projected[token, dtOffset + head] + dtBias[head])
            )
            let decay = exponential(step * Double(a[head]))
            var sum = Double(d[head]) * input
            for n in 0..<states {
                let next =
                    decay * Double(h[channel, n]) + step * Double(xbc[token, bOffset + n]) * input
                h[channel, n] = Float(next)
                sum += next * Double(xbc[token, cOffset + n])
            }
            out[token, channel] = Float(sum)
        }
    }
}
