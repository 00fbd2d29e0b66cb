// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The blocks of a vision transformer, pre-norm, with full attention.
///
///     x = x + out(attention(q(n), k(n), v(n))),  n = layerNorm(x)
///     x = x + down(act(up(layerNorm(x))))
///
/// - Source: Dosovitskiy et al. 2021, equations 2 and 3.
struct EncoderBlocks: ~Copyable {
    private struct Weights {
        let norm1: LayerNorm
        let query: Linear
        let key: Linear
        let value: Linear
        let attentionOut: Linear
        let norm2: LayerNorm
        let up: Linear
        let down: Linear
    }

    private let configuration: VisionConfiguration
    private let blocks: [Weights]
    private let normed: PlannedTensor
    private let query: PlannedTensor
    private let key: PlannedTensor
    private let value: PlannedTensor
    private let attended: PlannedTensor
    private let wide: PlannedTensor
    private let scratch: PlannedBytes
    private let scores: PlannedBytes

    /// Finds the parameters of all blocks and plans the buffers of one.
    init(
        file: borrowing ModelFile,
        configuration c: VisionConfiguration,
        tokenCount: Int,
        threadCount: Int,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let d = c.dVision
        var blocks: [Weights] = []
        for index in 0..<c.blockCount {
            let name = "v.blk.\(index)."
            func square(_ part: String) throws(ModelError) -> Linear {
                try Linear(name + part, outputs: d, inputs: d, file: file)
            }
            blocks.append(
                Weights(
                    norm1: try LayerNorm(name + "ln1", width: d, file: file),
                    query: try square("attn_q"),
                    key: try square("attn_k"),
                    value: try square("attn_v"),
                    attentionOut: try square("attn_out"),
                    norm2: try LayerNorm(name + "ln2", width: d, file: file),
                    up: try Linear(
                        name + "ffn_up",
                        outputs: c.feedForwardWidth,
                        inputs: d,
                        file: file
                    ),
                    down: try Linear(
                        name + "ffn_down",
                        outputs: d,
                        inputs: c.feedForwardWidth,
                        file: file
                    )
                )
            )
        }
        self.blocks = blocks
        configuration = c

        func buffer(_ name: String, _ width: Int) -> PlannedTensor {
            planner.tensor("v.blk." + name, rows: tokenCount, columns: width, in: .scratch)
        }
        scratch = planner.bytes(
            "v.blk.quantised",
            count: matMulScratchByteCount(
                tokens: tokenCount,
                columns: max(d, c.feedForwardWidth)
            ),
            in: .scratch
        )
        normed = buffer("normed", d)
        planner.advance()
        query = buffer("query", d)
        key = buffer("key", d)
        value = buffer("value", d)
        planner.advance()
        attended = buffer("attended", d)
        scores = planner.bytes(
            "v.blk.scores",
            count: attentionScratchByteCount(tokens: tokenCount, threadCount: threadCount),
            in: .scratch
        )
        planner.release(query)
        planner.release(key)
        planner.release(value)
        planner.release(scores)
        planner.advance()
        planner.release(attended)
        planner.advance()
        wide = buffer("wide", c.feedForwardWidth)
        planner.release(normed)
        planner.advance()
        planner.release(wide)
        planner.release(scratch)
        planner.advance()
    }

    /// Runs all blocks, in place.
    ///
    /// - Shapes: x (tokens, dVision).
    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let epsilon = configuration.epsilon
        let (normed, attended, wide) = (arena[self.normed], arena[self.attended], arena[self.wide])
        let (query, key, value) = (arena[self.query], arena[self.key], arena[self.value])
        let scratch = arena[self.scratch]
        // By index: an iterator would count references to the array.
        for index in 0..<blocks.count {
            beginProfilePart(index + 1)
            let w = blocks[index]
            layerNorm(
                x,
                weight: w.norm1.weight,
                bias: w.norm1.bias,
                epsilon: epsilon,
                into: normed,
                on: pool
            )
            matMul(
                w.query.weight,
                normed,
                bias: w.query.bias,
                into: query,
                scratch: scratch,
                on: pool
            )
            matMul(w.key.weight, normed, bias: w.key.bias, into: key, scratch: scratch, on: pool)
            matMul(
                w.value.weight,
                normed,
                bias: w.value.bias,
                into: value,
                scratch: scratch,
                on: pool
            )
            attention(
                query: query,
                key: key,
                value: value,
                headCount: configuration.headCount,
                into: attended,
                scratch: arena[scores],
                on: pool
            )
            addMatMul(
                w.attentionOut.weight,
                attended,
                bias: w.attentionOut.bias,
                into: x,
                scratch: scratch,
                on: pool
            )
            layerNorm(
                x,
                weight: w.norm2.weight,
                bias: w.norm2.bias,
                epsilon: epsilon,
                into: normed,
                on: pool
            )
            matMul(w.up.weight, normed, bias: w.up.bias, into: wide, scratch: scratch, on: pool)
            activate(wide, configuration.activation, on: pool)
            addMatMul(
                w.down.weight,
                wide,
                bias: w.down.bias,
                into: x,
                scratch: scratch,
                on: pool
            )
        }
        beginProfilePart(0)
    }
}
