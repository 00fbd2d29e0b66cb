// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The transformer of a vision encoder: patch embedding, positions, blocks, norms.
///
///     x = [class] + W patches + b, plus positions;  x = preNorm(x);  blocks;  x = postNorm(x)
///
/// The class token, the bias and both norms are there if the file has them. The patches are squares
/// of pixels, or the cells of a convolutional stem's feature map.
struct VisionTransformer: ~Copyable {
    /// (class token and cells, dVision).
    let output: PlannedTensor
    /// The row of the first cell: 1 behind a class token.
    let firstCell: Int
    /// The cells' arrangement in the picture.
    let grid: FeatureGrid

    private enum Input {
        case pixels(PlannedTensor, patches: PlannedTensor, geometry: ConvolutionGeometry)
        case features(PlannedTensor)
    }

    private let configuration: VisionConfiguration
    private let input: Input
    private let patchEmbedding: Linear
    private let classToken: WeightMatrix?
    private let positionWeight: WeightMatrix
    private let positions: PlannedTensor
    private let preNorm: LayerNorm?
    private let blocks: EncoderBlocks
    private let postNorm: LayerNorm?
    private let scratch: PlannedBytes

    init(
        file: borrowing ModelFile,
        configuration c: VisionConfiguration,
        features: FeatureMap?,
        pixels: PlannedTensor,
        threadCount: Int,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let d = c.dVision
        let input: Input
        let inputWidth: Int
        let grid: FeatureGrid
        if let features {
            input = .features(features.tensor)
            inputWidth = features.tensor.columns
            grid = features.grid
        } else {
            // Pixels beyond the last whole patch are ignored, as a convolution without padding does.
            let geometry = ConvolutionGeometry.pytorch(
                height: c.imageSize,
                width: c.imageSize,
                kernel: c.patchSize,
                stride: c.patchSize,
                padding: 0
            )
            inputWidth = 3 * c.patchSize * c.patchSize
            grid = FeatureGrid(height: geometry.outputHeight, width: geometry.outputWidth)
            let patches = planner.tensor(
                "v.patches",
                rows: grid.cellCount,
                columns: inputWidth,
                in: .scratch
            )
            input = .pixels(pixels, patches: patches, geometry: geometry)
            planner.advance()
        }
        let firstCell = file.hasTensor("v.class_embd") ? 1 : 0
        let tokenCount = firstCell + grid.cellCount

        let patchEmbedding = try Linear(
            "v.patch_embd",
            outputs: d,
            inputs: inputWidth,
            hasBias: file.hasTensor("v.patch_embd.bias"),
            file: file
        )
        let classToken =
            firstCell == 1
            ? try reading { () throws(ModelFileError) in
                try file.matrix("v.class_embd", rows: 1, columns: d)
            } : nil
        let positionWeight = try reading { () throws(ModelFileError) in
            try file.matrix("v.position_embd.weight", rows: tokenCount, columns: d)
        }
        func norm(_ name: String) throws(ModelError) -> LayerNorm? {
            file.hasTensor(name + ".weight")
                ? try LayerNorm(name, width: d, file: file) : nil
        }
        let (preNorm, postNorm) = (try norm("v.pre_ln"), try norm("v.post_ln"))

        let positions = planner.tensor(
            "v.position_embd.weight",
            rows: tokenCount,
            columns: d,
            in: .state
        )
        let scratch = planner.bytes(
            "v.patch_embd.quantised",
            count: matMulScratchByteCount(tokens: grid.cellCount, columns: inputWidth),
            in: .scratch
        )
        let output = planner.tensor("v.tokens", rows: tokenCount, columns: d, in: .scratch)
        planner.release(scratch)
        switch input {
        case .pixels(_, let patches, _): planner.release(patches)
        case .features(let features): planner.release(features)
        }
        planner.advance()
        blocks = try EncoderBlocks(
            file: file,
            configuration: c,
            tokenCount: tokenCount,
            threadCount: threadCount,
            planner: &planner
        )
        self.output = output
        self.firstCell = firstCell
        self.grid = grid
        configuration = c
        self.input = input
        self.patchEmbedding = patchEmbedding
        self.classToken = classToken
        self.positionWeight = positionWeight
        self.positions = positions
        self.preNorm = preNorm
        self.postNorm = postNorm
        self.scratch = scratch
    }

    /// Brings the positions into `Float`; called once, at start.
    func prepare(in arena: borrowing Arena) {
        dequantize(positionWeight, into: arena[positions])
    }

    @_noAllocation @_noLocks
    func run(in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let x = arena[output]
        let patches: Tensor
        switch input {
        case .pixels(let pixels, let planned, let geometry):
            patches = arena[planned]
            let pixels = arena[pixels]
            patchesFromPlanar(
                pixels,
                channels: pixels.rows,
                geometry: geometry,
                into: patches,
                on: pool
            )
        case .features(let features):
            patches = arena[features]
        }
        matMul(
            patchEmbedding.weight,
            patches,
            bias: patchEmbedding.bias,
            into: x.rows(firstCell..<x.rows),
            scratch: arena[scratch],
            on: pool
        )
        if let classToken { dequantizeRow(classToken, row: 0, into: x.rows(0..<1)) }
        add(arena[positions], into: x, on: pool)
        if let preNorm {
            layerNorm(
                x,
                weight: preNorm.weight,
                bias: preNorm.bias,
                epsilon: configuration.epsilon,
                into: x,
                on: pool
            )
        }
        blocks.run(x, in: arena, on: pool)
        if let postNorm {
            layerNorm(
                x,
                weight: postNorm.weight,
                bias: postNorm.bias,
                epsilon: configuration.epsilon,
                into: x,
                on: pool
            )
        }
    }
}
