// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The blocks of a vision transformer, pre-norm, with full attention.
///
///     x = x + s1 * out(attention(q(n), k(n), v(n))),  n = layerNorm(x)
///     x = x + s2 * down(act(up(layerNorm(x))))
///
/// The factors s are there in DINOv2 (LayerScale, Touvron et al. 2021, equation 6). With a gate, as in
/// ViTamin, the inside of `down` is `act(gate(n)) * up(n)`.
///
/// - Source: Dosovitskiy et al. 2021, equations 2 and 3.
struct EncoderBlocks: ~Copyable {
    /// The count of blocks.
    let count: Int

    private let configuration: VisionConfiguration
    private let layersBefore: Int
    private let blocks: [EncoderBlock]
    private let normed: PlannedTensor
    private let query: PlannedTensor
    private let key: PlannedTensor
    private let value: PlannedTensor
    private let attended: PlannedTensor
    private let wide: PlannedTensor
    private let gate: PlannedTensor?
    private let scratch: PlannedBytes
    private let scores: PlannedBytes

    /// Finds the parameters of all blocks and plans the buffers of one; a profile numbers them behind
    /// the layers before.
    init(
        file: borrowing ModelFile,
        configuration c: VisionConfiguration,
        layersBefore: Int,
        tokenCount: Int,
        threadCount: Int,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let d = c.dVision
        let name = c.tower.tensors + "blk."
        var blocks: [EncoderBlock] = []
        for index in 0..<c.blockCount {
            blocks.append(try EncoderBlock("\(name)\(index).", configuration: c, file: file))
        }
        self.blocks = blocks
        self.layersBefore = layersBefore
        count = blocks.count
        configuration = c

        func buffer(_ part: String, _ width: Int) -> PlannedTensor {
            planner.tensor(name + part, rows: tokenCount, columns: width, in: .scratch)
        }
        scratch = planner.bytes(
            name + "quantised",
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
            name + "scores",
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
        gate =
            blocks.contains { $0.gate != nil } ? buffer("gate", c.feedForwardWidth) : nil
        // A scaled branch ends in `normed` before it is added.
        let isScaled = blocks.contains { $0.scale2 != nil }
        if !isScaled { planner.release(normed) }
        planner.advance()
        if isScaled { planner.release(normed) }
        if let gate { planner.release(gate) }
        planner.release(wide)
        planner.release(scratch)
        planner.advance()
    }

    /// Runs a block, in place.
    ///
    /// - Shapes: x (tokens, dVision).
    @_noAllocation @_noLocks
    func run(
        _ index: Int,
        on x: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) {
        beginProfilePart(layersBefore + index + 1)
        let w = blocks[index]
        attend(w, x, in: arena, on: pool)
        feedForward(w, x, in: arena, on: pool)
        beginProfilePart(0)
    }

    /// The first equation of a block.
    @_noAllocation @_noLocks
    private func attend(
        _ w: EncoderBlock,
        _ x: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) {
        let (normed, attended) = (arena[self.normed], arena[self.attended])
        let (query, key, value) = (arena[self.query], arena[self.key], arena[self.value])
        let scratch = arena[self.scratch]
        norm(x, w.norm1, into: normed, on: pool)
        matMul(w.query, normed, into: query, scratch: scratch, on: pool)
        matMul(w.key, normed, into: key, scratch: scratch, on: pool)
        matMul(w.value, normed, into: value, scratch: scratch, on: pool)
        attention(
            query: query,
            key: key,
            value: value,
            headCount: configuration.headCount,
            into: attended,
            scratch: arena[scores],
            on: pool
        )
        addBranch(w.attentionOut, attended, scale: w.scale1, to: x, in: arena, on: pool)
    }

    /// The second equation of a block.
    @_noAllocation @_noLocks
    private func feedForward(
        _ w: EncoderBlock,
        _ x: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) {
        let (normed, wide) = (arena[self.normed], arena[self.wide])
        let scratch = arena[self.scratch]
        norm(x, w.norm2, into: normed, on: pool)
        matMul(w.up, normed, into: wide, scratch: scratch, on: pool)
        if let weights = w.gate, let gate {
            let gate = arena[gate]
            matMul(weights, normed, into: gate, scratch: scratch, on: pool)
            activate(gate, configuration.activation, on: pool)
            multiply(gate, into: wide, on: pool)
        } else {
            activate(wide, configuration.activation, on: pool)
        }
        addBranch(w.down, wide, scale: w.scale2, to: x, in: arena, on: pool)
    }

    @_noAllocation @_noLocks
    private func norm(
        _ x: Tensor,
        _ norm: LayerNorm,
        into out: Tensor,
        on pool: borrowing ThreadPool
    ) {
        layerNorm(x, norm, epsilon: configuration.epsilon, into: out, on: pool)
    }

    /// Adds a branch: `x = x + s * (W input + b)`.
    @_noAllocation @_noLocks
    private func addBranch(
        _ linear: Linear,
        _ input: Tensor,
        scale: WeightVector?,
        to x: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) {
        let scratch = arena[self.scratch]
        guard let scale else {
            addMatMul(
                linear.weight,
                input,
                bias: linear.bias,
                into: x,
                scratch: scratch,
                on: pool
            )
            return
        }
        let branch = arena[normed]
        matMul(linear, input, into: branch, scratch: scratch, on: pool)
        scaleColumns(scale, into: branch, on: pool)
        add(branch, into: x, on: pool)
    }
}
