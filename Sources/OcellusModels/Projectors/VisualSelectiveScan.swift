// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The 2D selective scan: a Mamba mixer that reads a picture along several routes.
///
///     [u ; z] = W_in layerNorm(x)
///     s       = silu(depthwise3x3(u) + bias)
///     y_k     = selective scan of s along route k, with its own W_x, W_dt, A, D
///     out     = x + W_out (layerNorm(sum over k of y_k) * silu(z))
///
/// Each y_k is put back into the order of the cells before the sum.
///
/// - Source: Liu et al. 2024 (VMamba), section 4.3 (SS2D), for the layers and the merging, which the
///   paper of VL-Mamba (Qiao et al. 2024, section 3.2) leaves open.
struct VisualSelectiveScan: ~Copyable {
    /// The parameters of one route.
    private struct Route {
        let order: RasterRoute
        let dtProjection: WeightMatrix  // the first dtRank rows of x_proj (.., dInner)
        let bcProjection: WeightMatrix  // its last 2 dState rows
        let dtWeight: WeightMatrix  // (dInner, dtRank)
        let dtBias: WeightVector
        let a: WeightMatrix  // (dInner, dState), already -exp(A_log)
        let d: WeightVector
    }

    /// VMamba's norm of the block.
    private static var blockEpsilon: Float { 1e-6 }
    /// VMamba's norm of the merged scans, PyTorch's own.
    private static var scanEpsilon: Float { 1e-5 }

    private let grid: FeatureGrid
    private let norm: LayerNorm
    private let inProj: Linear  // the first half of the rows of in_proj
    private let gateProj: Linear  // the second half
    private let filter: DepthwiseFilter
    private let routes: [Route]
    private let outNorm: LayerNorm
    private let outProj: Linear
    private let normed: PlannedTensor  // (cells, width)
    private let gate: PlannedTensor  // z (cells, dInner)
    private let projected: PlannedTensor  // u
    private let filtered: PlannedTensor  // s
    private let followed: PlannedTensor  // s along a route
    private let dt: PlannedTensor  // (cells, dtRank)
    private let bc: PlannedTensor  // (cells, 2 dState)
    private let delta: PlannedTensor
    private let scanned: PlannedTensor
    private let merged: PlannedTensor
    private let h: PlannedTensor  // (dInner, dState)
    private let scratch: PlannedBytes

    /// Finds the parameters of `name`, which ends with a point, and plans its steps.
    ///
    /// The picture that it changes is (cells, width), and stays.
    init(
        _ name: String,
        grid: FeatureGrid,
        width: Int,
        file: borrowing ModelFile,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let path = file.path
        let (scan, innerShape, dtShape, aShape) = try reading { () throws(ModelFileError) in
            (
                try file.string("ocellus.projector.scan"),
                try file.shape(of: name + "out_norm.weight"),
                try file.shape(of: name + "route.0.dt_proj.weight"),
                try file.shape(of: name + "route.0.a")
            )
        }
        guard let orders = RasterRoute.routes(scan) else {
            throw .unsupported(path: path, what: "ocellus.projector.scan is '\(scan)'")
        }
        let dInner = innerShape.reduce(1, *)
        guard let dtRank = dtShape.first, let dState = aShape.first, dtRank > 0, dState > 0,
            dInner > 0
        else {
            throw .unsupported(path: path, what: "\(name)route.0 has no sizes")
        }
        let norm = try LayerNorm(name + "norm", width: width, file: file)
        let both = try Linear(
            name + "in_proj",
            outputs: 2 * dInner,
            inputs: width,
            partCount: 2,
            hasBias: false,
            file: file
        )
        let outNorm = try LayerNorm(name + "out_norm", width: dInner, file: file)
        let outProj = try Linear(
            name + "out_proj",
            outputs: width,
            inputs: dInner,
            hasBias: false,
            file: file
        )
        var routes: [Route] = []
        for (index, order) in orders.enumerated() {
            let name = "\(name)route.\(index)."
            routes.append(
                try reading { () throws(ModelFileError) in
                    let xProj = try file.matrix(
                        name + "x_proj.weight",
                        rows: dtRank + 2 * dState,
                        columns: dInner,
                        cutAt: [dtRank]
                    )
                    return Route(
                        order: order,
                        dtProjection: xProj.rows(0..<dtRank),
                        bcProjection: xProj.rows(dtRank..<xProj.rows),
                        dtWeight: try file.matrix(
                            name + "dt_proj.weight",
                            rows: dInner,
                            columns: dtRank
                        ),
                        dtBias: try file.vector(name + "dt_proj.bias", count: dInner),
                        a: try file.matrix(name + "a", rows: dInner, columns: dState),
                        d: try file.vector(name + "d", count: dInner)
                    )
                }
            )
            try requireF32(routes[index].a, name + "a", file)
        }

        func buffer(_ part: String, _ columns: Int) -> PlannedTensor {
            planner.tensor(name + part, rows: grid.cellCount, columns: columns, in: .scratch)
        }
        let scratch = planner.bytes(
            name + "quantised",
            count: matMulScratchByteCount(tokens: grid.cellCount, columns: max(width, dInner)),
            in: .scratch
        )
        let normed = buffer("normed", width)
        let gate = buffer("gate", dInner)
        let projected = buffer("projected", dInner)
        planner.release(normed)
        planner.advance()
        let filter = try DepthwiseFilter(
            name + "conv",
            channels: dInner,
            grid: grid,
            stride: 1,
            hasBias: true,
            file: file,
            planner: &planner
        )
        filtered = buffer("filtered", dInner)
        planner.release(projected)
        planner.advance()
        followed = buffer("followed", dInner)
        dt = buffer("dt", dtRank)
        bc = buffer("bc", 2 * dState)
        delta = buffer("delta", dInner)
        scanned = buffer("scanned", dInner)
        merged = buffer("merged", dInner)
        h = planner.tensor(name + "h", rows: dInner, columns: dState, in: .scratch)
        for tensor in [followed, dt, bc, delta, scanned, h, filtered] { planner.release(tensor) }
        planner.advance()
        planner.release(merged)
        planner.release(gate)
        planner.release(scratch)
        planner.advance()
        self.grid = grid
        self.norm = norm
        inProj = both.outputs(0..<dInner)
        gateProj = both.outputs(dInner..<2 * dInner)
        self.filter = filter
        self.routes = routes
        self.outNorm = outNorm
        self.outProj = outProj
        self.normed = normed
        self.gate = gate
        self.projected = projected
        self.scratch = scratch
    }

    /// Puts the filter into the order that the kernel reads; called once, at start.
    func prepare(in arena: borrowing Arena) {
        filter.prepare(in: arena)
    }

    /// - Shapes: x (cells, width), in place.
    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let (normed, gate, u) = (arena[self.normed], arena[self.gate], arena[projected])
        let (s, merged) = (arena[filtered], arena[self.merged])
        let scratch = arena[self.scratch]
        layerNorm(x, norm, epsilon: VisualSelectiveScan.blockEpsilon, into: normed, on: pool)
        matMul(inProj, normed, into: u, scratch: scratch, on: pool)
        matMul(gateProj, normed, into: gate, scratch: scratch, on: pool)
        activate(gate, .silu, on: pool)
        filter.run(u, activation: .silu, into: s, in: arena, on: pool)

        merged.fill(0)
        // By index: an iterator would count references to the array.
        for index in 0..<routes.count {
            add(scan(s, along: routes[index], in: arena, on: pool), into: merged, on: pool)
        }
        layerNorm(merged, outNorm, epsilon: VisualSelectiveScan.scanEpsilon, into: merged, on: pool)
        multiply(gate, into: merged, on: pool)
        addMatMul(outProj.weight, merged, into: x, scratch: scratch, on: pool)
    }

    /// y_k: the selective scan along a route, in the order of the cells.
    @_noAllocation @_noLocks
    private func scan(
        _ s: Tensor,
        along route: Route,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) -> Tensor {
        let (followed, scanned) = (arena[self.followed], arena[self.scanned])
        let (dt, bc, delta, h) = (arena[self.dt], arena[self.bc], arena[self.delta], arena[self.h])
        let scratch = arena[self.scratch]
        route.order.follow(s, on: grid, into: followed)
        matMul(route.dtProjection, followed, into: dt, scratch: scratch, on: pool)
        matMul(route.bcProjection, followed, into: bc, scratch: scratch, on: pool)
        matMul(route.dtWeight, dt, into: delta, scratch: scratch, on: pool)
        h.fill(0)
        selectiveScan(
            u: followed,
            delta: delta,
            deltaBias: route.dtBias,
            a: route.a,
            bc: bc,
            bOffset: 0,
            cOffset: h.columns,
            d: route.d,
            gates: nil,
            state: h,
            into: scanned,
            on: pool
        )
        route.order.leave(scanned, on: grid, into: delta)
        return delta
    }
}
