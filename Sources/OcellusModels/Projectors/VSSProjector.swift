// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// VL-Mamba's connector: a 2D selective scan between two linear layers (VSS-L2).
///
///     x = W1 f + b1
///     t = W2 vss(x) + b2
///
/// Scans go forward and backward (BSM) or along four routes (CSM), as the file says.
///
/// - Source: Qiao et al. 2024 (VL-Mamba), section 3.2, "MultiModal Connector".
struct VSSProjector: ~Copyable {
    private let first: MultilayerPerceptron
    private let vss: VisualSelectiveScan
    private let second: MultilayerPerceptron

    /// (rowsBefore + cells, dModel).
    var tokens: PlannedTensor { second.output }

    init(
        file: borrowing ModelFile,
        input: ProjectorInput,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let first = try MultilayerPerceptron(
            ["mm.vss.linear1"],
            inputs: input.width,
            rows: input.grid.cellCount,
            releasing: input.owned,
            file: file,
            planner: &planner
        )
        let vss = try VisualSelectiveScan(
            "mm.vss.",
            grid: input.grid,
            width: first.outputs,
            file: file,
            planner: &planner
        )
        let second = try MultilayerPerceptron(
            ["mm.vss.linear2"],
            inputs: first.outputs,
            rows: input.grid.cellCount,
            rowsBefore: input.rowsBefore,
            releasing: first.output,
            file: file,
            planner: &planner
        )
        self.first = first
        self.vss = vss
        self.second = second
    }

    /// Brings the filter into the form that the kernels read; called once, at start.
    func prepare(in arena: borrowing Arena) {
        vss.prepare(in: arena)
    }

    @_noAllocation @_noLocks
    func run(_ features: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let x = first.run(features, in: arena, on: pool)
        vss.run(x, in: arena, on: pool)
        _ = second.run(x, in: arena, on: pool)
    }
}
