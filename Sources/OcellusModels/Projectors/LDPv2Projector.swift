// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// LDPv2: an MLP on each feature, then fewer tokens, each knowing its neighbours.
///
///     f = W1 x + b1
///     p = W2 a + b2                        a: adaptive average pool of gelu(f) to the output grid
///     t = p + depthwise3x3(p)              the positional encoding generator (PEG)
///
/// The paper averages W2 gelu(f) + b2. A linear layer's results have the mean that it makes of its
/// inputs' mean, so the second layer comes after the average here: of 24 x 24 features to 12 x 12
/// tokens, it has a quarter of the work. GELU is applied as the average reads its windows, and the
/// filter adds its input by middle weights that are greater by one: each result is written once.
///
/// Cobra's fused LDPNet is the same with other widths, and a grid of 27 to 14, where windows overlap.
///
/// - Source: Chu et al. 2024 (MobileVLM V2), section 3.3.
struct LDPv2Projector: ~Copyable {
    /// (rowsBefore + output cells, dModel).
    let tokens: PlannedTensor

    private let inputGrid: FeatureGrid
    private let outputGrid: FeatureGrid
    private let rowsBefore: Int
    private let first: MultilayerPerceptron
    private let averages: PlannedTensor  // (output cells, hidden)
    private let second: MultilayerPerceptron
    private let peg: DepthwiseFilter

    init(
        file: borrowing ModelFile,
        input: ProjectorInput,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let outputGrid = try FeatureGrid.ofTokens(from: input.grid, file: file)
        let first = try MultilayerPerceptron(
            ["mm.model.mlp.0"],
            inputs: input.width,
            rows: input.grid.cellCount,
            releasing: input.owned,
            file: file,
            planner: &planner
        )
        let averages = planner.tensor(
            "mm.averages",
            rows: outputGrid.cellCount,
            columns: first.outputs,
            in: .scratch
        )
        planner.release(first.output)
        planner.advance()
        let second = try MultilayerPerceptron(
            ["mm.model.mlp.2"],
            inputs: first.outputs,
            rows: outputGrid.cellCount,
            releasing: averages,
            file: file,
            planner: &planner
        )
        let peg = try DepthwiseFilter(
            "mm.model.peg.0",
            channels: second.outputs,
            grid: outputGrid,
            stride: 1,
            hasBias: true,
            addsInput: true,
            file: file,
            planner: &planner
        )
        tokens = planner.tensor(
            "mm.tokens",
            rows: input.rowsBefore + outputGrid.cellCount,
            columns: second.outputs,
            in: .scratch
        )
        planner.release(second.output)
        planner.advance()
        inputGrid = input.grid
        self.outputGrid = outputGrid
        rowsBefore = input.rowsBefore
        self.first = first
        self.averages = averages
        self.second = second
        self.peg = peg
    }

    /// Brings the filters into the form that the kernels read; called once, at start.
    func prepare(in arena: borrowing Arena) {
        peg.prepare(in: arena)
    }

    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let features = first.run(x, in: arena, on: pool)
        let averages = arena[self.averages]
        adaptiveAveragePool2D(
            features,
            inputHeight: inputGrid.height,
            inputWidth: inputGrid.width,
            outputHeight: outputGrid.height,
            outputWidth: outputGrid.width,
            activation: .geluErf,
            into: averages,
            on: pool
        )
        let pooled = second.run(averages, in: arena, on: pool)
        let all = arena[tokens]
        let tokens = all.rows(rowsBefore..<all.rows)
        peg.run(pooled, activation: .none, into: tokens, in: arena, on: pool)
    }
}
