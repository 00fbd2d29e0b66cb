// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The mixer of Mamba-1: gated, convolved, and selectively scanned.
///
///     [x ; z]      = W_in u
///     s            = silu(conv(x) + bias)
///     [dt | B | C] = W_x s                           FalconMamba: each over the root of its mean square
///     Δ            = softplus(W_dt dt + bias)
///     h            = exp(Δ A) h + Δ B s          per channel and state, A = -exp(A_log)
///     out          = W_out ((C h + D s) * silu(z))
///
/// - Source: Gu and Dao 2023, section 3.4 and algorithm 2; B by Euler as in the authors' code. Zuo et
///   al. 2024 (Falcon Mamba), section 2.2, for the norms without weights.
struct Mamba1Mixer: ~Copyable {
    /// The parameters of one layer, by their names in GGUF.
    struct Weights {
        let inProj: WeightMatrix  // ssm_in    (2 dInner, dModel)
        let convWeight: WeightMatrix  // ssm_conv1d (dInner, dConv)
        let convBias: WeightVector
        let xProj: WeightMatrix  // ssm_x     (dtRank + 2 dState, dInner)
        let dtWeight: WeightMatrix  // ssm_dt    (dInner, dtRank)
        let dtBias: WeightVector
        let a: WeightMatrix  // ssm_a     (dInner, dState), already -exp(A_log)
        let d: WeightVector
        let outProj: WeightMatrix  // ssm_out   (dModel, dInner)
    }

    private let configuration: MambaConfiguration
    private let normEpsilon: Float?
    private let layers: [Weights]
    private let projected: PlannedTensor
    private let convolved: PlannedTensor
    private let selected: PlannedTensor
    private let dt: PlannedTensor
    private let bc: PlannedTensor
    private let delta: PlannedTensor
    private let scanned: PlannedTensor
    private let scratch: PlannedBytes

    /// Finds the parameters of all layers and plans the buffers of one.
    init(
        file: borrowing ModelFile,
        configuration c: MambaConfiguration,
        dtRank: Int,
        normEpsilon: Float?,
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
                            rows: 2 * c.dInner,
                            columns: c.dModel
                        ),
                        convWeight: try file.matrix(
                            prefix + "ssm_conv1d.weight",
                            rows: c.dInner,
                            columns: c.dConv
                        ),
                        convBias: try file.vector(prefix + "ssm_conv1d.bias", count: c.dInner),
                        xProj: try file.matrix(
                            prefix + "ssm_x.weight",
                            rows: dtRank + 2 * c.dState,
                            columns: c.dInner
                        ),
                        dtWeight: try file.matrix(
                            prefix + "ssm_dt.weight",
                            rows: c.dInner,
                            columns: dtRank
                        ),
                        dtBias: try file.vector(prefix + "ssm_dt.bias", count: c.dInner),
                        a: try file.matrix(prefix + "ssm_a", rows: c.dInner, columns: c.dState),
                        d: try file.vector(prefix + "ssm_d", count: c.dInner),
                        outProj: try file.matrix(
                            prefix + "ssm_out.weight",
                            rows: c.dModel,
                            columns: c.dInner
                        )
                    )
                }
            )
            try requireF32(layers[layer].convWeight, "blk.\(layer).ssm_conv1d.weight", file)
            try requireF32(layers[layer].a, "blk.\(layer).ssm_a", file)
        }
        self.layers = layers
        self.configuration = c
        self.normEpsilon = normEpsilon
        self.scratch = scratch

        projected = planner.tensor(
            "decoder.projected",
            rows: chunkLength,
            columns: 2 * c.dInner,
            in: .scratch
        )
        planner.advance()
        convolved = planner.tensor(
            "decoder.convolved",
            rows: chunkLength,
            columns: c.dInner,
            in: .scratch
        )
        planner.advance()
        selected = planner.tensor(
            "decoder.selected",
            rows: chunkLength,
            columns: dtRank + 2 * c.dState,
            in: .scratch
        )
        dt = planner.tensor("decoder.dt", rows: chunkLength, columns: dtRank, in: .scratch)
        bc = planner.tensor("decoder.bc", rows: chunkLength, columns: 2 * c.dState, in: .scratch)
        planner.release(selected)
        planner.advance()
        delta = planner.tensor(
            "decoder.delta",
            rows: chunkLength,
            columns: c.dInner,
            in: .scratch
        )
        planner.release(dt)
        planner.advance()
        scanned = planner.tensor(
            "decoder.scanned",
            rows: chunkLength,
            columns: c.dInner,
            in: .scratch
        )
        planner.release(delta)
        planner.release(bc)
        planner.release(convolved)
        planner.release(projected)
        planner.advance()
        planner.release(scanned)
        planner.advance()
    }

    /// Runs the mixer of a layer on normed tokens, updates its state, and adds to the residual.
    ///
    /// With a trail the recurrences run token by token: it keeps the states between, and the results
    /// are those of single steps.
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
        let count = normed.rows
        let span = trail == nil ? count : 1
        let projected = arena[self.projected].prefix(rows: count)
        let convolved = arena[self.convolved].prefix(rows: count)
        let selected = arena[self.selected].prefix(rows: count)
        let dt = arena[self.dt].prefix(rows: count)
        let bc = arena[self.bc].prefix(rows: count)
        let delta = arena[self.delta].prefix(rows: count)
        let scanned = arena[self.scanned].prefix(rows: count)
        let scratch = arena[self.scratch]

        matMul(w.inProj, normed, into: projected, scratch: scratch, on: pool)
        var token = 0
        while token < count {
            causalConv1D(
                projected.rows(token..<token + span),
                columnOffset: 0,
                channels: configuration.dInner,
                weight: w.convWeight,
                bias: w.convBias,
                history: state.history(layer: layer),
                into: convolved.rows(token..<token + span),
                on: pool
            )
            trail?.keepHistory(of: state, layer: layer, after: token)
            token += span
        }
        matMul(w.xProj, convolved, into: selected, scratch: scratch, on: pool)
        dt.copy(columnsFrom: 0, of: selected)
        bc.copy(columnsFrom: dt.columns, of: selected)
        if let normEpsilon {
            let halves = bc.reshaped(rows: 2 * count, columns: configuration.dState)
            rmsNorm(dt, weight: nil, epsilon: normEpsilon, into: dt, on: pool)
            rmsNorm(halves, weight: nil, epsilon: normEpsilon, into: halves, on: pool)
        }
        matMul(w.dtWeight, dt, into: delta, scratch: scratch, on: pool)
        token = 0
        while token < count {
            let tokens = token..<token + span
            selectiveScan(
                u: convolved.rows(tokens),
                delta: delta.rows(tokens),
                deltaBias: w.dtBias,
                a: w.a,
                bc: bc.rows(tokens),
                bOffset: 0,
                cOffset: configuration.dState,
                d: w.d,
                gates: projected.rows(tokens),
                zOffset: configuration.dInner,
                state: state.h(layer: layer),
                into: scanned.rows(tokens),
                on: pool
            )
            trail?.keepHidden(of: state, layer: layer, after: token)
            token += span
        }
        addMatMul(w.outProj, scanned, into: hidden, scratch: scratch, on: pool)
    }
}
