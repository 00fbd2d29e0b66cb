// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The mixer of Mamba-2: one decay per head, B and C convolved with x, and a gated norm.
///
///     [z | x B C | dt] = W_in u
///     [x | B | C]      = silu(conv(x B C) + bias)
///     Δ                = softplus(dt + bias)                per head
///     S                = exp(Δ A) S + Δ x Bᵀ                 S (headWidth, dState)
///     y                = S C + D x
///     out              = W_out rmsNorm(y * silu(z))         per group
///
/// - Source: Dao and Gu 2024, section 7 and listing 1; the order of `in_proj` as in their code.
struct Mamba2Mixer: ~Copyable {
    /// The parameters of one layer, by their names in GGUF.
    struct Weights {
        let inProj: WeightMatrix  // ssm_in     (2 dInner + 2 groups dState + heads, dModel)
        let convWeight: WeightMatrix  // ssm_conv1d (channels, dConv)
        let convBias: WeightVector
        let dtBias: WeightVector
        let a: WeightVector  // ssm_a      (heads), already -exp(A_log)
        let d: WeightVector
        let norm: WeightVector  // ssm_norm   (dInner)
        let outProj: WeightMatrix  // ssm_out    (dModel, dInner)
    }

    private let configuration: MambaConfiguration
    private let headCount: Int
    private let groupCount: Int
    private let layers: [Weights]
    private let projected: PlannedTensor
    private let convolved: PlannedTensor
    private let scanned: PlannedTensor
    private let scratch: PlannedBytes

    /// Finds the parameters of all layers and plans the buffers of one.
    init(
        file: borrowing ModelFile,
        configuration c: MambaConfiguration,
        headCount: Int,
        groupCount: Int,
        chunkLength: Int,
        scratch: PlannedBytes,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        var layers: [Weights] = []
        for layer in 0..<c.layerCount {
            layers.append(
                try reading { () throws(ModelFileError) in
                    let prefix = "blk.\(layer)."
                    return Weights(
                        inProj: try file.matrix(
                            prefix + "ssm_in.weight",
                            rows: c.projectedWidth,
                            columns: c.dModel
                        ),
                        convWeight: try file.matrix(
                            prefix + "ssm_conv1d.weight",
                            rows: c.convolutionChannels,
                            columns: c.dConv
                        ),
                        convBias: try file.vector(
                            prefix + "ssm_conv1d.bias",
                            count: c.convolutionChannels
                        ),
                        dtBias: try file.vector(prefix + "ssm_dt.bias", count: headCount),
                        a: try file.vector(prefix + "ssm_a", count: headCount),
                        d: try file.vector(prefix + "ssm_d", count: headCount),
                        norm: try file.vector(prefix + "ssm_norm.weight", count: c.dInner),
                        outProj: try file.matrix(
                            prefix + "ssm_out.weight",
                            rows: c.dModel,
                            columns: c.dInner
                        )
                    )
                }
            )
            try requireF32(layers[layer].convWeight, "blk.\(layer).ssm_conv1d.weight", file)
        }
        self.layers = layers
        self.configuration = c
        self.headCount = headCount
        self.groupCount = groupCount
        self.scratch = scratch

        projected = planner.tensor(
            "decoder.projected",
            rows: chunkLength,
            columns: c.projectedWidth,
            in: .scratch
        )
        planner.advance()
        convolved = planner.tensor(
            "decoder.convolved",
            rows: chunkLength,
            columns: c.convolutionChannels,
            in: .scratch
        )
        planner.advance()
        scanned = planner.tensor(
            "decoder.scanned",
            rows: chunkLength,
            columns: c.dInner,
            in: .scratch
        )
        planner.release(convolved)
        planner.advance()
        planner.release(projected)
        planner.advance()
        planner.release(scanned)
        planner.advance()
    }

    /// Runs the mixer of a layer on normed tokens, updates its state, and adds to the residual.
    ///
    /// With a trail the recurrences run token by token: it keeps the states between.
    ///
    /// - Shapes: normed, hidden (tokens, dModel).
    @_noAllocation @_noLocks
    func run(
        layer: Int,
        normed: Tensor,
        addingTo hidden: Tensor,
        state: DecoderState,
        trail: StateTrail?,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) {
        let w = layers[layer]
        let c = configuration
        let count = normed.rows
        let span = trail == nil ? count : 1
        let projected = arena[self.projected].prefix(rows: count)
        let convolved = arena[self.convolved].prefix(rows: count)
        let scanned = arena[self.scanned].prefix(rows: count)
        let scratch = arena[self.scratch]

        matMul(w.inProj, normed, into: projected, scratch: scratch, on: pool)
        var token = 0
        while token < count {
            let tokens = token..<token + span
            causalConv1D(
                projected.rows(tokens),
                columnOffset: c.dInner,
                channels: c.convolutionChannels,
                weight: w.convWeight,
                bias: w.convBias,
                history: state.history(layer: layer),
                into: convolved.rows(tokens),
                on: pool
            )
            stateSpaceScan(
                xbc: convolved.rows(tokens),
                projected: projected.rows(tokens),
                dtOffset: c.dInner + c.convolutionChannels,
                dtBias: w.dtBias,
                a: w.a,
                d: w.d,
                headCount: headCount,
                groupCount: groupCount,
                dState: c.dState,
                state: state.h(layer: layer),
                into: scanned.rows(tokens),
                on: pool
            )
            trail?.keepHistory(of: state, layer: layer, after: token)
            trail?.keepHidden(of: state, layer: layer, after: token)
            token += span
        }
        // The gate z is the first dInner columns of `projected`.
        gatedRMSNorm(
            scanned,
            gate: projected,
            weight: w.norm,
            groupCount: groupCount,
            epsilon: c.epsilon,
            into: scanned,
            on: pool
        )
        addMatMul(w.outProj, scanned, into: hidden, scratch: scratch, on: pool)
    }
}
