// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The MLP projector: each feature becomes a token by itself.
///
///     t = W2 gelu(W1 x + b1) + b2                              LLaVA 1.5, two layers
///     t = W3 gelu(W2 gelu(W1 x + b1) + b2) + b3                Cobra's fused MLP, three layers
///
/// - Source: Liu et al. 2023 (LLaVA 1.5), section 3.2; Zhao et al. 2024 (Cobra), section 3.1.
struct MLPProjector: ~Copyable {
    private let mlp: MultilayerPerceptron

    /// (rowsBefore + cells, dModel).
    var tokens: PlannedTensor { mlp.output }

    init(
        file: borrowing ModelFile,
        input: ProjectorInput,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let isFused = file.hasTensor("mm.4.weight")
        mlp = try MultilayerPerceptron(
            isFused ? ["mm.0", "mm.2", "mm.4"] : ["mm.0", "mm.2"],
            inputs: input.width,
            rows: input.grid.cellCount,
            rowsBefore: input.rowsBefore,
            releasing: input.owned,
            file: file,
            planner: &planner
        )
    }

    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        _ = mlp.run(x, in: arena, on: pool)
    }
}
