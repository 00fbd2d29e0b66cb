// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// Pixels to features: a vision transformer, a convolutional network, or one before the other.
struct VisionNetwork: ~Copyable {
    private enum Network: ~Copyable {
        case vit(VisionTransformer)
        case cnn(ConvolutionalStem)
        case cnnVit(StemAndTransformer)
    }

    private struct StemAndTransformer: ~Copyable {
        let stem: ConvolutionalStem
        let transformer: VisionTransformer
    }

    /// The sizes.
    let configuration: VisionConfiguration
    /// The arrangement of the features.
    let grid: FeatureGrid

    private let network: Network
    private let output: FeatureMap  // (class token and cells, dVision)
    private let firstCell: Int

    /// Finds the parameters in a file and plans the buffers of a run.
    ///
    /// Convolutions make use of where the pixels change between two runs, if that is known.
    ///
    /// - Shapes: pixels (3, imageSize * imageSize), requested by the caller and not released.
    /// - Throws: `ModelError` if the file lacks something, or describes something else.
    init(
        file: borrowing ModelFile,
        configuration c: VisionConfiguration,
        pixels: PlannedTensor,
        change: PlannedSpans?,
        threadCount: Int,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        configuration = c
        switch c.architecture {
        case .vit:
            let transformer = try VisionTransformer(
                file: file,
                configuration: c,
                features: nil,
                pixels: pixels,
                threadCount: threadCount,
                planner: &planner
            )
            output = FeatureMap(tensor: transformer.output, grid: transformer.grid)
            firstCell = transformer.firstCell
            grid = transformer.grid
            network = .vit(transformer)
        case .cnn:
            let stem = try ConvolutionalStem(
                file: file,
                configuration: c,
                pixels: pixels,
                change: change,
                threadCount: threadCount,
                planner: &planner
            )
            guard stem.output.tensor.columns == c.dVision else {
                throw .mismatch(
                    path: file.path,
                    what: "the width of the last convolution",
                    expected: c.dVision,
                    found: stem.output.tensor.columns
                )
            }
            output = stem.output
            firstCell = 0
            grid = stem.output.grid
            network = .cnn(stem)
        case .cnnVit:
            let stem = try ConvolutionalStem(
                file: file,
                configuration: c,
                pixels: pixels,
                change: change,
                threadCount: threadCount,
                planner: &planner
            )
            let transformer = try VisionTransformer(
                file: file,
                configuration: c,
                features: stem.output,
                layersBefore: stem.layerCount,
                pixels: pixels,
                threadCount: threadCount,
                planner: &planner
            )
            output = FeatureMap(tensor: transformer.output, grid: transformer.grid)
            firstCell = transformer.firstCell
            grid = transformer.grid
            network = .cnnVit(StemAndTransformer(stem: stem, transformer: transformer))
        }
    }

    /// Brings parameters into the form that the kernels read; called once, at start.
    func prepare(in arena: borrowing Arena) {
        switch network {
        case .vit(let transformer):
            transformer.prepare(in: arena)
        case .cnn(let stem):
            stem.prepare(in: arena)
        case .cnnVit(let both):
            both.stem.prepare(in: arena)
            both.transformer.prepare(in: arena)
        }
    }

    /// Encodes the pixels, and returns the features of the grid's cells, (cells, dVision), row by
    /// row.
    @_noAllocation @_noLocks
    func encode(in arena: borrowing Arena, on pool: borrowing ThreadPool) -> Tensor {
        switch network {
        case .vit(let transformer):
            transformer.run(in: arena, on: pool)
        case .cnn(let stem):
            stem.run(in: arena, on: pool)
        case .cnnVit(let both):
            both.stem.run(in: arena, on: pool)
            both.transformer.run(in: arena, on: pool)
        }
        return features(in: arena)
    }

    /// As `encode`, and shows what each layer made of the pixels.
    func trace(
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool,
        show: (String, Tensor) -> Void
    ) -> Tensor {
        switch network {
        case .vit(let transformer):
            transformer.trace(in: arena, on: pool, show: show)
        case .cnn(let stem):
            stem.trace(in: arena, on: pool, show: show)
        case .cnnVit(let both):
            both.stem.trace(in: arena, on: pool, show: show)
            both.transformer.trace(in: arena, on: pool, show: show)
        }
        return features(in: arena)
    }

    /// What the convolutions of the last run took.
    @_noAllocation @_noLocks
    func work(in arena: borrowing Arena) -> ConvolutionWork {
        switch network {
        case .vit: ConvolutionWork()
        case .cnn(let stem): stem.work(in: arena)
        case .cnnVit(let both): both.stem.work(in: arena)
        }
    }

    @_noAllocation @_noLocks
    private func features(in arena: borrowing Arena) -> Tensor {
        let all = arena[output.tensor]
        return all.rows(firstCell..<all.rows)
    }

    /// Ends the life of the features in the plan.
    func releaseOutput(from planner: inout MemoryPlanner) {
        output.release(from: &planner)
    }
}
