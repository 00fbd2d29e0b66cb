// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The transformer of a vision encoder: patch embedding, positions, blocks, norms.
///
///     x = [class; registers; W patches + b] + positions;  x = preNorm(x);  blocks;  x = postNorm(x)
///
/// The class token, the registers (DINOv2), the bias and both norms are there if the file has them.
/// The positions are those of class token and cells, or of the cells alone; registers have none. The
/// patches are squares of pixels, or cells of a convolutional stem's feature map, or squares of these.
struct VisionTransformer: ~Copyable {
    /// (class token, registers and cells, dVision).
    let output: PlannedTensor
    /// The row of the first cell, behind class token and registers.
    let firstCell: Int
    /// The cells' arrangement in the picture.
    let grid: FeatureGrid

    private enum Input {
        case pixels(PlannedTensor, patches: PlannedTensor, geometry: ConvolutionGeometry)
        /// Without patches, each cell is one.
        case features(PlannedTensor, patches: PlannedTensor?, geometry: ConvolutionGeometry)
    }

    private let configuration: VisionConfiguration
    private let input: Input
    private let patchEmbedding: Linear
    private let classToken: WeightMatrix?
    private let registers: WeightMatrix?
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
        layersBefore: Int = 0,
        pixels: PlannedTensor,
        threadCount: Int,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let d = c.dVision
        let names = c.tower.tensors
        let input: Input
        let inputWidth: Int
        let grid: FeatureGrid
        if let features {
            let side = try Self.patchSide(on: features.grid, names + "patch_embd.weight", file)
            let geometry = ConvolutionGeometry.pytorch(
                height: features.grid.height,
                width: features.grid.width,
                kernel: side,
                stride: side,
                padding: 0
            )
            inputWidth = features.tensor.columns * side * side
            grid = FeatureGrid(height: geometry.outputHeight, width: geometry.outputWidth)
            let patches =
                side == 1
                ? nil
                : planner.tensor(
                    names + "patches",
                    rows: grid.cellCount,
                    columns: inputWidth,
                    in: .scratch
                )
            input = .features(features.tensor, patches: patches, geometry: geometry)
            planner.advance()
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
                names + "patches",
                rows: grid.cellCount,
                columns: inputWidth,
                in: .scratch
            )
            input = .pixels(pixels, patches: patches, geometry: geometry)
            planner.advance()
        }
        func tokens(_ name: String, count: Int? = nil) throws(ModelError) -> WeightMatrix? {
            guard let tensor = file.tensor(name) else { return nil }
            return try reading { () throws(ModelFileError) in
                try file.matrix(name, rows: count ?? max(tensor.elementCount / d, 1), columns: d)
            }
        }
        let classToken = try tokens(names + "class_embd", count: 1)
        let registers = try tokens(names + "register_embd")
        let classCount = classToken == nil ? 0 : 1
        let firstCell = classCount + (registers?.rows ?? 0)
        let tokenCount = firstCell + grid.cellCount

        let patchEmbedding = try Linear(
            names + "patch_embd",
            outputs: d,
            inputs: inputWidth,
            hasBias: file.hasTensor(names + "patch_embd.bias"),
            file: file
        )
        let positionWeight = try reading { () throws(ModelFileError) in
            let name = names + "position_embd.weight"
            let isOfCells = file.tensor(name)?.elementCount == grid.cellCount * d
            let count = isOfCells ? 0 : classCount
            return try file.matrix(name, rows: count + grid.cellCount, columns: d, cutAt: [count])
        }
        func norm(_ name: String) throws(ModelError) -> LayerNorm? {
            file.hasTensor(name + ".weight")
                ? try LayerNorm(name, width: d, file: file) : nil
        }
        let preNorm = try norm(names + "pre_ln")
        let postNorm = c.hasFinalNorm ? try norm(names + "post_ln") : nil

        let positions = planner.tensor(
            names + "positions",
            rows: tokenCount,
            columns: d,
            in: .state
        )
        let scratch = planner.bytes(
            names + "patch_embd.quantised",
            count: matMulScratchByteCount(tokens: grid.cellCount, columns: inputWidth),
            in: .scratch
        )
        let output = planner.tensor(names + "tokens", rows: tokenCount, columns: d, in: .scratch)
        planner.release(scratch)
        switch input {
        case .pixels(_, let patches, _): planner.release(patches)
        case .features(_, let patches, _):
            features?.release(from: &planner)
            planner.release(patches)
        }
        planner.advance()
        blocks = try EncoderBlocks(
            file: file,
            configuration: c,
            layersBefore: layersBefore,
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
        self.registers = registers
        self.positionWeight = positionWeight
        self.positions = positions
        self.preNorm = preNorm
        self.postNorm = postNorm
        self.scratch = scratch
    }

    /// The side of a patch of cells: that of the weights if they have four dimensions.
    private static func patchSide(
        on grid: FeatureGrid,
        _ name: String,
        _ file: borrowing ModelFile
    ) throws(ModelError) -> Int {
        let shape = try reading { () throws(ModelFileError) in try file.shape(of: name) }
        guard shape.count == 4 else { return 1 }
        guard shape[0] == shape[1], 1...min(grid.height, grid.width) ~= shape[0] else {
            throw .unsupported(
                path: file.path,
                what: "\(name) has patches of \(shape[0]) x \(shape[1]) cells, of "
                    + "\(grid.height) x \(grid.width)"
            )
        }
        return shape[0]
    }

    /// Brings the positions into `Float`, those of tokens without one to 0; called once, at start.
    func prepare(in arena: borrowing Arena) {
        let positions = arena[self.positions]
        let cellCount = grid.cellCount
        let classCount = positionWeight.rows - cellCount
        positions.fill(0)
        dequantize(positionWeight.rows(0..<classCount), into: positions.rows(0..<classCount))
        dequantize(
            positionWeight.rows(classCount..<positionWeight.rows),
            into: positions.rows(firstCell..<positions.rows)
        )
    }

    /// Encodes the pixels into `output`.
    @_noAllocation @_noLocks
    func run(in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        embed(in: arena, on: pool)
        // By index: an iterator would count references to the array.
        for index in 0..<blocks.count { blocks.run(index, on: arena[output], in: arena, on: pool) }
        finish(in: arena, on: pool)
    }

    /// As `run`, and shows the tokens after the embedding and after each block.
    func trace(
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool,
        show: (String, Tensor) -> Void
    ) {
        let names = configuration.tower.tensors
        embed(in: arena, on: pool)
        show(names + "embd", arena[output])
        for index in 0..<blocks.count {
            blocks.run(index, on: arena[output], in: arena, on: pool)
            show("\(names)blk.\(index)", arena[output])
        }
        finish(in: arena, on: pool)
    }

    @_noAllocation @_noLocks
    private func embed(in arena: borrowing Arena, on pool: borrowing ThreadPool) {
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
        case .features(let features, let planned, let geometry):
            var cells = arena[features]
            if let planned {
                cells = arena[planned]
                patchesFromInterleaved(arena[features], geometry: geometry, into: cells, on: pool)
            }
            patches = cells
        }
        matMul(
            patchEmbedding,
            patches,
            into: x.rows(firstCell..<x.rows),
            scratch: arena[scratch],
            on: pool
        )
        if let classToken { dequantize(classToken, into: x.rows(0..<1)) }
        if let registers {
            dequantize(registers, into: x.rows(firstCell - registers.rows..<firstCell))
        }
        add(arena[positions], into: x, on: pool)
        if let preNorm {
            layerNorm(x, preNorm, epsilon: configuration.epsilon, into: x, on: pool)
        }
    }

    @_noAllocation @_noLocks
    private func finish(in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        guard let postNorm else { return }
        let x = arena[output]
        layerNorm(x, postNorm, epsilon: configuration.epsilon, into: x, on: pool)
    }
}
