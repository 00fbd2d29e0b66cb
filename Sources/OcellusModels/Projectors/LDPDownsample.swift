// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The second half of LDPv2: fewer tokens, each knowing its neighbours.
///
///     p = adaptive average pool of f to the output grid
///     t = p + depthwise3x3(p)              the positional encoding generator (PEG)
///
/// - Source: Chu et al. 2024 (MobileVLM V2), section 3.3; any grid, where theirs is 24 to 12.
struct LDPDownsample {
    /// (rowsBefore + output cells, dModel).
    let output: PlannedTensor

    private let inputGrid: FeatureGrid
    private let outputGrid: FeatureGrid
    private let rowsBefore: Int
    private let peg: DepthwiseFilter
    private let pooled: PlannedTensor  // (output cells, dModel)

    /// Finds the filter, and plans its steps.
    ///
    /// - Shapes: features (input cells, dModel), f, whose life ends here.
    init(
        file: borrowing ModelFile,
        grid: FeatureGrid,
        rowsBefore: Int,
        releasing features: PlannedTensor,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let dModel = features.columns
        inputGrid = grid
        outputGrid = try FeatureGrid.ofTokens(from: grid, file: file)
        self.rowsBefore = rowsBefore
        peg = try DepthwiseFilter(
            "mm.model.peg.0",
            channels: dModel,
            grid: outputGrid,
            stride: 1,
            hasBias: true,
            file: file,
            planner: &planner
        )
        pooled = planner.tensor(
            "mm.pooled",
            rows: outputGrid.cellCount,
            columns: dModel,
            in: .scratch
        )
        planner.release(features)
        planner.advance()
        output = planner.tensor(
            "mm.tokens",
            rows: rowsBefore + outputGrid.cellCount,
            columns: dModel,
            in: .scratch
        )
        planner.release(pooled)
        planner.advance()
    }

    /// Puts the filter into the order that the kernel reads; called once, at start.
    func prepare(in arena: borrowing Arena) {
        peg.prepare(in: arena)
    }

    /// - Shapes: features (input cells, dModel).
    @_noAllocation @_noLocks
    func run(_ features: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let (pooled, output) = (arena[self.pooled], arena[self.output])
        let tokens = output.rows(rowsBefore..<output.rows)
        adaptiveAveragePool2D(
            features,
            inputHeight: inputGrid.height,
            inputWidth: inputGrid.width,
            outputHeight: outputGrid.height,
            outputWidth: outputGrid.width,
            into: pooled,
            on: pool
        )
        peg.run(pooled, activation: .none, into: tokens, in: arena, on: pool)
        add(pooled, into: tokens, on: pool)
    }
}
