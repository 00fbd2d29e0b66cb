// SPDX-License-Identifier: Apache-2.0
import OcellusKernels
import OcellusMemory

/// The attention of all pixels of a feature map to all, with queries, keys and values from one matrix.
///
///     [q | k | v] = W norm(x) + b,  y = attention(q, k, v)
///
/// The layer norm is there if the file has it; a batch norm is folded into W.
///
/// - Source: Vasu et al. 2023 (FastViT), section 3.3, the last stage.
struct PixelAttention {
    private let headCount: Int
    private let norm: LayerNorm?
    private let epsilon: Float
    private let projections: (query: Linear, key: Linear, value: Linear)
    private let projected: (query: PlannedTensor, key: PlannedTensor, value: PlannedTensor)
    private let quantised: PlannedBytes
    private let scores: PlannedBytes

    /// Plans the buffers, which live until `release`.
    ///
    /// - Shapes: qkv (3 channels, channels).
    init(
        _ name: String,
        qkv: Linear,
        headCount: Int,
        norm: LayerNorm?,
        epsilon: Float,
        cellCount: Int,
        threadCount: Int,
        planner: inout MemoryPlanner
    ) {
        let channels = qkv.weight.columns
        func buffer(_ part: String) -> PlannedTensor {
            planner.tensor(name + part, rows: cellCount, columns: channels, in: .scratch)
        }
        self.headCount = headCount
        self.norm = norm
        self.epsilon = epsilon
        projections = (
            qkv.outputs(0..<channels), qkv.outputs(channels..<2 * channels),
            qkv.outputs(2 * channels..<3 * channels)
        )
        projected = (buffer("query"), buffer("key"), buffer("value"))
        quantised = planner.bytes(
            name + "quantised",
            count: matMulScratchByteCount(tokens: cellCount, columns: channels),
            in: .scratch
        )
        scores = planner.bytes(
            name + "scores",
            count: attentionScratchByteCount(tokens: cellCount, threadCount: threadCount),
            in: .scratch
        )
    }

    /// Ends the lives of the buffers.
    func release(from planner: inout MemoryPlanner) {
        planner.release(projected.query)
        planner.release(projected.key)
        planner.release(projected.value)
        planner.release(quantised)
        planner.release(scores)
    }

    /// - Shapes: x, out (cells, channels).
    @_noAllocation @_noLocks
    func run(
        _ x: Tensor,
        into out: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) {
        let scratch = arena[quantised]
        var x = x
        if let norm {
            // The result's place is free until attention writes it.
            layerNorm(x, norm, epsilon: epsilon, into: out, on: pool)
            x = out
        }
        let (query, key, value) = (
            arena[projected.query], arena[projected.key], arena[projected.value]
        )
        matMul(projections.query, x, into: query, scratch: scratch, on: pool)
        matMul(projections.key, x, into: key, scratch: scratch, on: pool)
        matMul(projections.value, x, into: value, scratch: scratch, on: pool)
        attention(
            query: query,
            key: key,
            value: value,
            headCount: headCount,
            into: out,
            scratch: arena[scores],
            on: pool
        )
    }
}
