// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// LDPv2: an MLP on each feature, then fewer tokens, each knowing its neighbours.
///
///     f = W2 gelu(W1 x + b1) + b2
///     p = adaptive average pool of f to the output grid
///     t = p + depthwise3x3(p)              the positional encoding generator (PEG)
///
/// Cobra's fused LDPNet is the same with other widths, and a grid of 27 to 14, where windows overlap.
///
/// - Source: Chu et al. 2024 (MobileVLM V2), section 3.3.
struct LDPv2Projector: ~Copyable {
    private let mlp: MultilayerPerceptron
    private let downsample: LDPDownsample

    /// (rowsBefore + output cells, dModel).
    var tokens: PlannedTensor { downsample.output }

    init(
        file: borrowing ModelFile,
        input: ProjectorInput,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let mlp = try MultilayerPerceptron(
            ["mm.model.mlp.0", "mm.model.mlp.2"],
            inputs: input.width,
            rows: input.grid.cellCount,
            releasing: input.owned,
            file: file,
            planner: &planner
        )
        let downsample = try LDPDownsample(
            file: file,
            grid: input.grid,
            rowsBefore: input.rowsBefore,
            releasing: mlp.output,
            planner: &planner
        )
        self.mlp = mlp
        self.downsample = downsample
    }

    /// Brings the filters into the form that the kernels read; called once, at start.
    func prepare(in arena: borrowing Arena) {
        downsample.prepare(in: arena)
    }

    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        downsample.run(mlp.run(x, in: arena, on: pool), in: arena, on: pool)
    }
}
