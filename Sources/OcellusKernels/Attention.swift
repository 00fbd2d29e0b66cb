// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Multi-head attention of all rows to all rows, without a mask.
///
/// Per head, on its `headWidth` columns: `out = softmax(q kᵀ / sqrt(headWidth)) v`
///
/// Shapes:
/// - query: (tokens, headCount * headWidth); keys and values alike.
/// - headCount: a divisor of the columns.
/// - out: (tokens, headCount * headWidth); must not overlap the others.
/// - scratch: at least `attentionScratchByteCount(tokens:threadCount:)` bytes.
@_noAllocation @_noLocks
public func attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    headCount: Int,
    into out: Tensor,
    scratch: Bytes,
    on pool: borrowing ThreadPool
) {
    precondition(headCount > 0 && query.columns % headCount == 0)
    precondition(query.rows == key.rows && query.columns == key.columns)
    precondition(query.rows == value.rows && query.columns == value.columns)
    precondition(query.rows == out.rows && query.columns == out.columns)
    precondition(
        scratch.count
            >= attentionScratchByteCount(tokens: query.rows, threadCount: pool.threadCount)
    )
    // Safety: the shapes agree, and the scratch has the scores of each thread.
    unsafe ck_attention(
        pool.handle,
        ck_attention_args(
            q: query.operand,
            k: key.operand,
            v: value.operand,
            heads: headCount,
            out: out.operand,
            scratch: scratch.base
        )
    )
}

/// The scratch of `attention` in bytes: the scores of a block of queries per thread.
public func attentionScratchByteCount(tokens: Int, threadCount: Int) -> Int {
    Int(clamping: ck_attention_scratch_size(tokens, Int32(clamping: threadCount)))
}

/// The definition of `attention`, query by query, with f64 sums.
func attentionReference(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    headCount: Int,
    into out: Tensor
) {
    let width = query.columns / headCount
    for head in 0..<headCount {
        let columns = head * width..<(head + 1) * width
        for row in 0..<query.rows {
            var scores = [Double](repeating: 0, count: key.rows)
            for other in 0..<key.rows {
                for column in columns {
                    scores[other] += Double(query[row, column]) * Double(key[other, column])
                }
                scores[other] /= Double(width).squareRoot()
            }
            let greatest = scores.max() ?? 0
            var sum = 0.0
            for other in 0..<key.rows {
                scores[other] = exponential(scores[other] - greatest)
                sum += scores[other]
            }
            for column in columns {
                var mixed = 0.0
                for other in 0..<key.rows {
                    mixed += scores[other] * Double(value[other, column])
                }
                out[row, column] = Float(mixed / sum)
            }
        }
    }
}
