// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The C-Abstractor: bottleneck blocks before and after an adaptive average pool, then an MLP.
///
///     x = x + positions
///     p = adaptive average pool of stage1(x) to the output grid
///     t = W2 silu(W1 stage2(p) + b1) + b2
///
/// - Source: Cha et al. 2024 (Honeybee), section 3.2 and figure 4.
struct CAbstractor: ~Copyable {
    private let inputGrid: FeatureGrid
    private let outputGrid: FeatureGrid
    private let positionWeight: WeightMatrix?
    private let positions: PlannedTensor?
    private let placed: PlannedTensor  // (cells, inputs)
    private let before: [BottleneckBlock]
    private let pooled: PlannedTensor  // (output cells, width)
    private let after: [BottleneckBlock]
    private let readout: MultilayerPerceptron

    /// (rowsBefore + output cells, dModel).
    var tokens: PlannedTensor { readout.output }

    init(
        file: borrowing ModelFile,
        input: ProjectorInput,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let outputGrid = try FeatureGrid.ofTokens(from: input.grid, file: file)
        let positionName = "mm.abstractor.position_embd.weight"
        var positionWeight: WeightMatrix?
        var positions: PlannedTensor?
        if file.hasTensor(positionName) {
            positionWeight = try reading { () throws(ModelFileError) in
                try file.matrix(positionName, rows: input.grid.cellCount, columns: input.width)
            }
            positions = planner.tensor(
                positionName,
                rows: input.grid.cellCount,
                columns: input.width,
                in: .state
            )
        }
        let placed = planner.tensor(
            "mm.placed",
            rows: input.grid.cellCount,
            columns: input.width,
            in: .scratch
        )
        planner.release(input.owned)
        planner.advance()

        var last = placed
        func stage(
            _ index: Int,
            _ grid: FeatureGrid,
            _ planner: inout MemoryPlanner
        ) throws(ModelError) -> [BottleneckBlock] {
            let name = "mm.abstractor.\(index)."
            let shape = try reading { () throws(ModelFileError) in
                try file.shape(of: name + "0.norm1.weight")
            }
            var blocks: [BottleneckBlock] = []
            while file.hasTensor("\(name)\(blocks.count).conv1.weight") {
                let block = try BottleneckBlock(
                    "\(name)\(blocks.count).",
                    grid: grid,
                    outputs: shape.reduce(1, *),
                    releasing: last,
                    file: file,
                    planner: &planner
                )
                last = block.output
                blocks.append(block)
            }
            return blocks
        }
        let before = try stage(0, input.grid, &planner)
        let pooled = planner.tensor(
            "mm.pooled",
            rows: outputGrid.cellCount,
            columns: last.columns,
            in: .scratch
        )
        planner.release(last)
        planner.advance()
        last = pooled
        let after = try stage(1, outputGrid, &planner)
        let readout = try MultilayerPerceptron(
            ["mm.abstractor.readout.0", "mm.abstractor.readout.2"],
            activation: .silu,
            inputs: last.columns,
            rows: outputGrid.cellCount,
            rowsBefore: input.rowsBefore,
            releasing: last,
            file: file,
            planner: &planner
        )
        inputGrid = input.grid
        self.positionWeight = positionWeight
        self.positions = positions
        self.placed = placed
        self.before = before
        self.pooled = pooled
        self.after = after
        self.readout = readout
        self.outputGrid = outputGrid
    }

    /// Brings positions and filters into the form that the kernels read; called once, at start.
    func prepare(in arena: borrowing Arena) {
        if let positionWeight, let positions { dequantize(positionWeight, into: arena[positions]) }
        for block in before { block.prepare(in: arena) }
        for block in after { block.prepare(in: arena) }
    }

    @_noAllocation @_noLocks
    func run(_ features: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        var x = arena[placed]
        x.copy(from: features)
        if let positions { add(arena[positions], into: x, on: pool) }
        // By index: an iterator would count references to the array.
        for index in 0..<before.count { x = before[index].run(x, in: arena, on: pool) }
        var y = arena[pooled]
        adaptiveAveragePool2D(
            x,
            inputHeight: inputGrid.height,
            inputWidth: inputGrid.width,
            outputHeight: outputGrid.height,
            outputWidth: outputGrid.width,
            into: y,
            on: pool
        )
        for index in 0..<after.count { y = after[index].run(y, in: arena, on: pool) }
        _ = readout.run(y, in: arena, on: pool)
    }
}
