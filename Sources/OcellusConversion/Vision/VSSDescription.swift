// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat

/// VL-Mamba's connector: a linear layer, a block of VMamba's, and another linear layer.
///
/// A `Sequential` of the three, as LLaVA makes projectors; the parameters of the routes of a scan are stacked,
/// as VMamba has them.
///
/// - Source: Qiao et al. 2024 (VL-Mamba), section 3.2; MzeroMiko/VMamba, classification/models/vmamba.py
///   (VSSBlock without an MLP, SS2D v0).
extension ProjectorDescription {
    /// Which routes a scan takes.
    enum Scan: String {
        /// The bidirectional scan: row by row, forward and backward.
        case bsm
        /// The cross scan: by rows and by columns, both forward, then both backward.
        case csm

        var routeCount: Int { self == .bsm ? 2 : 4 }
        /// The value of "ocellus.projector.scan".
        var name: String { self == .bsm ? "bidirectional" : "cross" }
    }

    /// The projector; how wide its inner layers are, no configuration states.
    ///
    /// - Throws: `ConversionError.missingTensor` and `.wrongShape` for the tensors that sizes are taken from.
    static func vss(
        _ scan: Scan,
        below prefix: String,
        of checkpoint: Checkpoint,
        inputs: Int,
        outputs: Int
    ) throws(ConversionError) -> Self {
        let op = prefix + "1.op."
        let width = try checkpoint.size(of: prefix + "0.bias", in: 0)
        let dInner = try checkpoint.size(of: op + "out_norm.weight", in: 0)
        let dtRank = try checkpoint.size(of: op + "dt_projs_weight", in: 2)
        let dState = try checkpoint.size(of: op + "A_logs", in: 1)
        let to = "mm.vss."
        let tensors =
            linear(to + "linear1", prefix + "0", width, inputs)
            + affine(to + "norm", prefix + "1.norm", width)
            + [
                matrix(to + "in_proj", op + "in_proj", 2 * dInner, width),
                filter(to + "conv", op + "conv2d", dInner),
                vector(to + "conv.bias", op + "conv2d.bias", dInner),
            ]
            + (0..<scan.routeCount).flatMap { index in
                route(index, of: scan, below: op, dInner: dInner, dtRank: dtRank, dState: dState)
            }
            + affine(to + "out_norm", op + "out_norm", dInner)
            + [matrix(to + "out_proj", op + "out_proj", width, dInner)]
            + linear(to + "linear2", prefix + "2", outputs, width)
        return Self(
            kind: "vss",
            prefix: prefix,
            tensors: tensors,
            metadata: [("ocellus.projector.scan", .string(scan.name))]
        )
    }

    /// The parameters of one route, slices of those of all.
    private static func route(
        _ index: Int,
        of scan: Scan,
        below op: String,
        dInner: Int,
        dtRank: Int,
        dState: Int
    ) -> [TensorMapping] {
        let count = scan.routeCount
        func add(
            _ name: String,
            _ source: String,
            _ stacked: [Int],
            as shape: [Int],
            _ storage: TensorMapping.Storage,
            change: (([Float]) -> [Float])? = nil
        ) -> TensorMapping {
            let size = shape.reduce(1, *)
            let part = index * size..<(index + 1) * size
            let all = TensorMapping.Source(op + source, stacked)
            return TensorMapping(
                "mm.vss.route.\(index).\(name)",
                shape: shape,
                storage: storage,
                content: change.map { change in .computed([all]) { change(Array($0[0][part])) } }
                    ?? .slice(all, part)
            )
        }
        let x = [dtRank + 2 * dState, dInner]
        let dt = [dInner, dtRank]
        return [
            add("x_proj.weight", "x_proj_weight", [count] + x, as: x, .matrix),
            add("dt_proj.weight", "dt_projs_weight", [count] + dt, as: dt, .matrix),
            add("dt_proj.bias", "dt_projs_bias", [count, dInner], as: [dInner], .exact),
            add("a", "A_logs", [count * dInner, dState], as: [dInner, dState], .exact) {
                $0.map { -exp($0) }
            },
            add("d", "Ds", [count * dInner], as: [dInner], .exact),
        ]
    }

    /// A linear layer without a bias.
    private static func matrix(
        _ name: String,
        _ source: String,
        _ outputs: Int,
        _ inputs: Int
    ) -> TensorMapping {
        TensorMapping(name + ".weight", from: source + ".weight", [outputs, inputs])
    }
}
