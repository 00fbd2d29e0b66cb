// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// A block of LDP: MobileNetV3's inverted residual without expansion, with layer norms.
///
///     y = hardSwish(layerNorm(depthwise3x3(x)))
///     y = y * hardSigmoid(W2 relu(W1 mean(y) + b1) + b2)
///     out = layerNorm(W y)  [+ x if the stride is 1]
///
/// - Source: Chu et al. 2023 (MobileVLM), section 3.4; Howard et al. 2019 (MobileNetV3), section 5.
struct InvertedResidual {
    /// (rowsBefore + output cells, channels); the result is behind the rows before.
    let output: PlannedTensor
    /// The arrangement of the result.
    let grid: FeatureGrid

    /// timm's LayerNormAct2d, where torchvision has batch norm.
    private static var epsilon: Float { 1e-5 }

    private let filter: DepthwiseFilter  // block.0.0
    private let filterNorm: LayerNorm  // block.0.1
    private let excitation: SqueezeExcitation  // block.1
    private let pointwise: Linear  // block.2.0
    private let pointwiseNorm: LayerNorm  // block.2.1
    private let isResidual: Bool
    private let rowsBefore: Int
    private let filtered: PlannedTensor  // (output cells, channels)
    private let scratch: PlannedBytes

    /// Finds the parameters of `name`, and plans its steps.
    ///
    /// - Shapes: x (cells, channels), whose life ends here.
    init(
        _ name: String,
        grid inputGrid: FeatureGrid,
        stride: Int,
        rowsBefore: Int = 0,
        releasing x: PlannedTensor,
        file: borrowing ModelFile,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let channels = x.columns
        filter = try DepthwiseFilter(
            name + ".block.0.0",
            channels: channels,
            grid: inputGrid,
            stride: stride,
            hasBias: false,
            file: file,
            planner: &planner
        )
        grid = filter.outputGrid
        filterNorm = try LayerNorm(name + ".block.0.1", width: channels, file: file)
        pointwise = try Linear(
            name + ".block.2.0",
            outputs: channels,
            inputs: channels,
            hasBias: false,
            file: file
        )
        pointwiseNorm = try LayerNorm(name + ".block.2.1", width: channels, file: file)
        isResidual = stride == 1
        self.rowsBefore = rowsBefore

        filtered = planner.tensor(
            name + ".filtered",
            rows: grid.cellCount,
            columns: channels,
            in: .scratch
        )
        if !isResidual { planner.release(x) }
        planner.advance()
        excitation = try SqueezeExcitation(
            name + ".block.1",
            channels: channels,
            activation: .relu,
            gate: .hardSigmoid,
            file: file,
            planner: &planner
        )
        planner.advance()
        scratch = planner.bytes(
            name + ".quantised",
            count: matMulScratchByteCount(tokens: grid.cellCount, columns: channels),
            in: .scratch
        )
        output = planner.tensor(
            name + ".output",
            rows: rowsBefore + grid.cellCount,
            columns: channels,
            in: .scratch
        )
        planner.release(filtered)
        planner.release(scratch)
        if isResidual { planner.release(x) }
        planner.advance()
    }

    /// Puts the filter into the order that the kernel reads; called once, at start.
    func prepare(in arena: borrowing Arena) {
        filter.prepare(in: arena)
    }

    /// - Shapes: x (cells, channels); the result (output cells, channels) is a part of `output`.
    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) -> Tensor {
        let (y, output) = (arena[filtered], arena[self.output])
        let result = output.rows(rowsBefore..<output.rows)
        let epsilon = InvertedResidual.epsilon
        filter.run(x, activation: .none, into: y, in: arena, on: pool)
        layerNorm(y, filterNorm, epsilon: epsilon, into: y, on: pool)
        activate(y, .hardSwish, on: pool)
        excitation.run(y, in: arena, on: pool)
        matMul(pointwise, y, into: result, scratch: arena[scratch], on: pool)
        layerNorm(result, pointwiseNorm, epsilon: epsilon, into: result, on: pool)
        if isResidual { add(x, into: result, on: pool) }
        return result
    }
}
