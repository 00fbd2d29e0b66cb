// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// A second vision network beside the first, on the same picture.
///
///     f = [first(x) | second(x')]      channels joined, cell by cell; x' is x in another normalisation
///
/// - Source: Zhao et al. 2024 (Cobra), section 3.1: DINOv2 and SigLIP; Karamcheti et al. 2024 (Prismatic).
struct FusedNetwork: ~Copyable {
    /// The width of a joined feature.
    let width: Int

    private let network: VisionNetwork
    private let normalization: PictureNormalization
    private let firstPixels: PlannedTensor
    private let pixels: PlannedTensor
    private let joined: PlannedTensor  // (cells, width)

    /// Finds the second network in a file and plans its buffers and the joined features.
    ///
    /// The features of the first network live until they are joined.
    init(
        file: borrowing ModelFile,
        first: borrowing VisionNetwork,
        pixels firstPixels: PlannedTensor,
        change: PlannedSpans?,
        threadCount: Int,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let tower = VisionTower(index: 1)
        let c = try VisionConfiguration(file: file, tower: tower)
        guard c.imageSize == first.configuration.imageSize else {
            throw .mismatch(
                path: file.path,
                what: "the image size of the second network",
                expected: first.configuration.imageSize,
                found: c.imageSize
            )
        }
        let normalization = try PictureNormalization(
            file: file,
            from: first.configuration.tower,
            to: tower
        )
        let pixels = planner.tensor(
            tower.tensors + "pixels",
            rows: firstPixels.rows,
            columns: firstPixels.columns,
            in: .scratch
        )
        planner.advance()
        let network = try VisionNetwork(
            file: file,
            configuration: c,
            pixels: pixels,
            change: change,
            threadCount: threadCount,
            planner: &planner
        )
        planner.release(pixels)
        guard network.grid.height == first.grid.height, network.grid.width == first.grid.width
        else {
            throw .mismatch(
                path: file.path,
                what: "the count of cells of the second network",
                expected: first.grid.cellCount,
                found: network.grid.cellCount
            )
        }
        width = first.configuration.dVision + c.dVision
        joined = planner.tensor(
            "v.joined",
            rows: first.grid.cellCount,
            columns: width,
            in: .scratch
        )
        first.releaseOutput(from: &planner)
        network.releaseOutput(from: &planner)
        planner.advance()
        self.network = network
        self.normalization = normalization
        self.firstPixels = firstPixels
        self.pixels = pixels
    }

    func prepare(in arena: borrowing Arena) {
        network.prepare(in: arena)
    }

    /// Encodes the picture as well, and returns the joined features, (cells, width).
    @_noAllocation @_noLocks
    func join(
        _ features: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) -> Tensor {
        normalization.run(arena[firstPixels], into: arena[pixels])
        return joining(features, network.encode(in: arena, on: pool), in: arena)
    }

    /// As `join`, and shows the pixels and what each layer makes of them.
    func traceJoin(
        _ features: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool,
        show: (String, Tensor) -> Void
    ) -> Tensor {
        normalization.run(arena[firstPixels], into: arena[pixels])
        show(network.configuration.tower.tensors + "pixels", arena[pixels])
        return joining(features, network.trace(in: arena, on: pool, show: show), in: arena)
    }

    @_noAllocation @_noLocks
    private func joining(_ first: Tensor, _ second: Tensor, in arena: borrowing Arena) -> Tensor {
        let joined = arena[self.joined]
        joined.copyColumns(from: first, at: 0)
        joined.copyColumns(from: second, at: first.columns)
        return joined
    }

    /// What the convolutions of the last run took.
    @_noAllocation @_noLocks
    func work(in arena: borrowing Arena) -> ConvolutionWork {
        network.work(in: arena)
    }

    func releaseOutput(from planner: inout MemoryPlanner) {
        planner.release(joined)
    }
}
