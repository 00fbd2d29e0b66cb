// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// A bottleneck block of RegNet with layer norms, as the C-Abstractor has it.
///
///     y = silu(layerNorm(W1 x))
///     y = silu(layerNorm(depthwise3x3(y)))
///     y = y * sigmoid(S2 silu(S1 mean(y) + s1) + s2)
///     out = silu(layerNorm(W3 y) + shortcut(x))
///
/// The shortcut is `layerNorm(W x)` where the widths differ, else x.
///
/// - Source: Radosavovic et al. 2020 (RegNet), figure 4, with bottleneck ratio 1, groups of one channel
///   and squeeze-and-excitation of a quarter of the input, as `RegStage` of timm has them; Cha et al. 2024
///   (Honeybee), section 3.2.
struct BottleneckBlock {
    /// (cells, outputs).
    let output: PlannedTensor

    /// timm's LayerNormAct2d.
    private static var epsilon: Float { 1e-5 }

    private let widen: Linear  // conv1
    private let widenNorm: LayerNorm  // norm1
    private let filter: DepthwiseFilter  // conv2
    private let filterNorm: LayerNorm  // norm2
    private let excitation: SqueezeExcitation  // se
    private let narrow: Linear  // conv3
    private let narrowNorm: LayerNorm  // norm3
    private let shortcut: Linear?
    private let shortcutNorm: LayerNorm?
    private let inner: PlannedTensor
    private let filtered: PlannedTensor
    private let bypass: PlannedTensor?
    private let scratch: PlannedBytes

    /// Finds the parameters of `name`, which ends with a point, and plans its steps.
    ///
    /// - Shapes: x (cells, inputs), whose life ends here.
    init(
        _ name: String,
        grid: FeatureGrid,
        outputs: Int,
        releasing x: PlannedTensor,
        file: borrowing ModelFile,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let inputs = x.columns
        func pointwise(_ part: String, inputs: Int) throws(ModelError) -> Linear {
            try Linear(name + part, outputs: outputs, inputs: inputs, hasBias: false, file: file)
        }
        func norm(_ part: String) throws(ModelError) -> LayerNorm {
            try LayerNorm(name + part, width: outputs, file: file)
        }
        func buffer(_ part: String) -> PlannedTensor {
            planner.tensor(name + part, rows: grid.cellCount, columns: outputs, in: .scratch)
        }
        widen = try pointwise("conv1", inputs: inputs)
        widenNorm = try norm("norm1")
        filterNorm = try norm("norm2")
        narrow = try pointwise("conv3", inputs: outputs)
        narrowNorm = try norm("norm3")
        let hasShortcut = inputs != outputs
        shortcut = hasShortcut ? try pointwise("shortcut", inputs: inputs) : nil
        shortcutNorm = hasShortcut ? try norm("shortcut_norm") : nil

        scratch = planner.bytes(
            name + "quantised",
            count: matMulScratchByteCount(tokens: grid.cellCount, columns: max(inputs, outputs)),
            in: .scratch
        )
        inner = buffer("inner")
        planner.advance()
        filter = try DepthwiseFilter(
            name + "conv2",
            channels: outputs,
            grid: grid,
            stride: 1,
            hasBias: false,
            file: file,
            planner: &planner
        )
        filtered = buffer("filtered")
        planner.release(inner)
        planner.advance()
        excitation = try SqueezeExcitation(
            name + "se",
            channels: outputs,
            activation: .silu,
            gate: .sigmoid,
            file: file,
            planner: &planner
        )
        planner.advance()
        output = buffer("output")
        planner.release(filtered)
        planner.advance()
        bypass = hasShortcut ? buffer("bypass") : nil
        planner.release(bypass)
        planner.release(scratch)
        planner.release(x)
        planner.advance()
    }

    /// Puts the filter into the order that the kernel reads; called once, at start.
    func prepare(in arena: borrowing Arena) {
        filter.prepare(in: arena)
    }

    /// - Shapes: x (cells, inputs); the result (cells, outputs) is `output`.
    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) -> Tensor {
        let (inner, y, out) = (arena[self.inner], arena[filtered], arena[output])
        let scratch = arena[self.scratch]
        let epsilon = BottleneckBlock.epsilon
        matMul(widen, x, into: inner, scratch: scratch, on: pool)
        layerNorm(inner, widenNorm, epsilon: epsilon, into: inner, on: pool)
        activate(inner, .silu, on: pool)
        filter.run(inner, activation: .none, into: y, in: arena, on: pool)
        layerNorm(y, filterNorm, epsilon: epsilon, into: y, on: pool)
        activate(y, .silu, on: pool)
        excitation.run(y, in: arena, on: pool)
        matMul(narrow, y, into: out, scratch: scratch, on: pool)
        layerNorm(out, narrowNorm, epsilon: epsilon, into: out, on: pool)
        if let shortcut, let shortcutNorm, let bypass {
            let bypass = arena[bypass]
            matMul(shortcut, x, into: bypass, scratch: scratch, on: pool)
            layerNorm(bypass, shortcutNorm, epsilon: epsilon, into: bypass, on: pool)
            add(bypass, into: out, on: pool)
        } else {
            add(x, into: out, on: pool)
        }
        activate(out, .silu, on: pool)
        return out
    }
}
