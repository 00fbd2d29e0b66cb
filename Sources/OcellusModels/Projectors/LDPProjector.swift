// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// LDP of MobileVLM V1: an MLP on each feature, then two inverted residual blocks, the second with
/// stride 2.
///
///     f = W2 gelu(W1 x + b1) + b2
///     t = block2(block1(f))                a quarter of the tokens
///
/// - Source: Chu et al. 2023 (MobileVLM), section 3.4 and figure 1.
struct LDPProjector: ~Copyable {
    private let mlp: MultilayerPerceptron
    private let block1: InvertedResidual
    private let block2: InvertedResidual

    /// (rowsBefore + output cells, dModel).
    var tokens: PlannedTensor { block2.output }

    init(
        file: borrowing ModelFile,
        input: ProjectorInput,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let mlp = try MultilayerPerceptron(
            ["mm.model.mlp.1", "mm.model.mlp.3"],
            inputs: input.width,
            rows: input.grid.cellCount,
            releasing: input.owned,
            file: file,
            planner: &planner
        )
        let block1 = try InvertedResidual(
            "mm.model.mb_block.1",
            grid: input.grid,
            stride: 1,
            releasing: mlp.output,
            file: file,
            planner: &planner
        )
        let block2 = try InvertedResidual(
            "mm.model.mb_block.2",
            grid: block1.grid,
            stride: 2,
            rowsBefore: input.rowsBefore,
            releasing: block1.output,
            file: file,
            planner: &planner
        )
        self.mlp = mlp
        self.block1 = block1
        self.block2 = block2
    }

    /// Brings the filters into the form that the kernels read; called once, at start.
    func prepare(in arena: borrowing Arena) {
        block1.prepare(in: arena)
        block2.prepare(in: arena)
    }

    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let f = mlp.run(x, in: arena, on: pool)
        _ = block2.run(block1.run(f, in: arena, on: pool), in: arena, on: pool)
    }
}
