// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// One token about a whole frame.
///
///     t = W [mean of the features | mean of the pixels per channel] + b
///
/// The pixel means are there if the model file says so; they carry the brightness, which the
/// encoder's features have learned to ignore.
struct FrameToken {
    private let linear: Linear
    private let pixels: PlannedTensor  // (3, pixels)
    private let mean: PlannedTensor  // (1, dVision)
    private let color: PlannedTensor?  // (3, 1)
    private let summary: PlannedTensor  // (1, dVision [+ 3])
    private let scratch: PlannedBytes

    init(
        file: borrowing ModelFile,
        dVision: Int,
        dModel: Int,
        hasColor: Bool,
        pixels: PlannedTensor,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let inputs = dVision + (hasColor ? pixels.rows : 0)
        linear = try Linear("mm.model.frame_token", outputs: dModel, inputs: inputs, file: file)
        self.pixels = pixels
        mean = planner.tensor("mm.mean", rows: 1, columns: dVision, in: .scratch)
        color =
            hasColor
            ? planner.tensor("mm.color", rows: pixels.rows, columns: 1, in: .scratch) : nil
        summary = planner.tensor("mm.summary", rows: 1, columns: inputs, in: .scratch)
        scratch = planner.bytes(
            "mm.frame.quantised",
            count: matMulScratchByteCount(tokens: 1, columns: inputs),
            in: .scratch
        )
        planner.release(mean)
        if let color { planner.release(color) }
        planner.release(summary)
        planner.release(scratch)
    }

    /// - Shapes: features (cells, dVision); out (1, dModel).
    @_noAllocation @_noLocks
    func run(
        _ features: Tensor,
        into out: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) {
        let (mean, summary) = (arena[self.mean], arena[self.summary])
        meanRows(features, into: mean)
        summary.copyColumns(from: mean, at: 0)
        if let color = self.color {
            let color = arena[color]
            meanColumns(arena[pixels], into: color)
            summary.copyColumns(
                from: color.reshaped(rows: 1, columns: color.rows),
                at: mean.columns
            )
        }
        matMul(
            linear.weight,
            summary,
            bias: linear.bias,
            into: out,
            scratch: arena[scratch],
            on: pool
        )
    }
}
