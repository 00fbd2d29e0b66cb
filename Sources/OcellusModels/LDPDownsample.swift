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
    private let inputHeight: Int
    private let inputWidth: Int
    private let outputHeight: Int
    private let outputWidth: Int
    private let pegGeometry: ConvolutionGeometry
    private let pegWeight: WeightMatrix  // (dModel, 9)
    private let pegBias: WeightVector
    private let pegPrepared: PlannedTensor  // (9, dModel)
    private let pooled: PlannedTensor  // (tokenCount, dModel)

    /// The count of image tokens.
    var tokenCount: Int { outputHeight * outputWidth }

    init(
        file: borrowing ModelFile,
        grid inputGrid: FeatureGrid,
        dModel: Int,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        (inputHeight, inputWidth) = (inputGrid.height, inputGrid.width)
        let key = "ocellus.projector.grid"
        let grid = try reading { () throws(ModelFileError) in
            file.contains(key)
                ? try file.ints(key) : [(inputGrid.height + 1) / 2, (inputGrid.width + 1) / 2]
        }
        guard grid.count == 2, 1...inputHeight ~= grid[0], 1...inputWidth ~= grid[1] else {
            throw .unsupported(
                path: file.path,
                what: "\(key) must be [height, width] inside the encoder's grid of "
                    + "\(inputHeight) x \(inputWidth)"
            )
        }
        (outputHeight, outputWidth) = (grid[0], grid[1])
        pegGeometry = .pytorch(
            height: outputHeight,
            width: outputWidth,
            kernel: 3,
            stride: 1,
            padding: 1
        )
        (pegWeight, pegBias) = try reading { () throws(ModelFileError) in
            (
                try file.matrix("mm.model.peg.0.weight", rows: dModel, columns: 9),
                try file.vector("mm.model.peg.0.bias", count: dModel)
            )
        }
        pegPrepared = planner.tensor(
            "mm.model.peg.0.weight",
            rows: 9,
            columns: dModel,
            in: .state
        )
        pooled = planner.tensor(
            "mm.pooled",
            rows: grid[0] * grid[1],
            columns: dModel,
            in: .scratch
        )
    }

    func releasePooled(from planner: inout MemoryPlanner) {
        planner.release(pooled)
    }

    /// Puts the depthwise filter into the order that the kernel reads; called once, at start.
    func prepare(in arena: borrowing Arena) {
        prepareDepthwise(pegWeight, into: arena[pegPrepared])
    }

    /// - Shapes: features (inputHeight * inputWidth, dModel); out (tokenCount, dModel).
    @_noAllocation @_noLocks
    func run(
        _ features: Tensor,
        into out: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) {
        let pooled = arena[self.pooled]
        adaptiveAveragePool2D(
            features,
            inputHeight: inputHeight,
            inputWidth: inputWidth,
            outputHeight: outputHeight,
            outputWidth: outputWidth,
            into: pooled,
            on: pool
        )
        depthwiseConv2D(
            pooled,
            weight: arena[pegPrepared],
            bias: pegBias,
            geometry: pegGeometry,
            activation: .none,
            into: out,
            on: pool
        )
        add(pooled, into: out, on: pool)
    }
}
