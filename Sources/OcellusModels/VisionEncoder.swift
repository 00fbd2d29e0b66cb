// SPDX-License-Identifier: Apache-2.0
public import OcellusFormat
public import OcellusKernels
public import OcellusMemory

/// Pixels to features: one network, or two whose features are joined cell by cell.
public struct VisionEncoder: ~Copyable {
    /// The sizes of the first network.
    public let configuration: VisionConfiguration
    /// The arrangement of the features.
    public let grid: FeatureGrid
    /// The width of a feature.
    public let dVision: Int

    private let network: VisionNetwork
    private let fused: FusedNetwork?
    private let pixels: PlannedTensor
    private let changes: ChangedPixels?

    /// Finds the parameters in a file and plans the buffers of a run.
    ///
    /// With `changes`, convolutions compute only what is new in the pixels since the last run.
    ///
    /// - Shapes: pixels (3, imageSize * imageSize), requested by the caller and not released.
    /// - Throws: `ModelError` if the file lacks something, or describes something else;
    ///   `.unsupported` as well for changes without convolutions.
    public init(
        file: borrowing ModelFile,
        configuration c: VisionConfiguration,
        pixels: PlannedTensor,
        changes: ChangedPixels? = nil,
        threadCount: Int,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        guard changes == nil || c.architecture != .vit else {
            throw .unsupported(
                path: file.path,
                what: "the encoder has no convolutions that could reuse what did not change"
            )
        }
        let towerCount = try reading { () throws(ModelFileError) in
            try file.int("ocellus.vision.towers", default: 1)
        }
        guard 1...2 ~= towerCount else {
            throw .unsupported(
                path: file.path,
                what: "ocellus.vision.towers is \(towerCount); this version runs 1 and 2"
            )
        }
        let network = try VisionNetwork(
            file: file,
            configuration: c,
            pixels: pixels,
            change: changes?.spans,
            threadCount: threadCount,
            planner: &planner
        )
        let fused =
            towerCount == 2
            ? try FusedNetwork(
                file: file,
                first: network,
                pixels: pixels,
                change: changes?.spans,
                threadCount: threadCount,
                planner: &planner
            ) : nil
        configuration = c
        grid = network.grid
        switch fused {
        case .some(let fused): dVision = fused.width
        case .none: dVision = c.dVision
        }
        self.network = network
        self.fused = fused
        self.pixels = pixels
        self.changes = changes
    }

    /// Brings parameters into the form that the kernels read; called once, at start.
    public func prepare(in arena: borrowing Arena) {
        network.prepare(in: arena)
        switch fused {
        case .some(let fused): fused.prepare(in: arena)
        case .none: break
        }
        forget(in: arena)
    }

    /// Forgets the picture before: all of the next one is encoded.
    @_noAllocation @_noLocks
    public func forget(in arena: borrowing Arena) {
        changes?.forget(in: arena)
    }

    /// Encodes the pixels, and returns the features of the grid's cells, (cells, dVision), row by
    /// row.
    ///
    /// They are valid until the next run of any part. With `changes`, the pixels become those that were
    /// encoded.
    @_noAllocation @_noLocks
    public func encode(in arena: borrowing Arena, on pool: borrowing ThreadPool) -> Tensor {
        changes?.update(arena[pixels], in: arena)
        let features = network.encode(in: arena, on: pool)
        switch fused {
        case .some(let fused): return fused.join(features, in: arena, on: pool)
        case .none: return features
        }
    }

    /// What the convolutions of the last run took.
    @_noAllocation @_noLocks
    public func work(in arena: borrowing Arena) -> ConvolutionWork {
        var work = network.work(in: arena)
        switch fused {
        case .some(let fused): work.add(fused.work(in: arena))
        case .none: break
        }
        return work
    }

    /// As `encode`, and shows what each layer of the networks makes of the pixels, by the name of its
    /// tensors: `v.embd`, `v.blk.0`, ...
    ///
    /// What is shown includes class token and registers. It allocates, and is not for the run of a
    /// device.
    public func trace(
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool,
        show: (String, Tensor) -> Void
    ) -> Tensor {
        forget(in: arena)
        changes?.update(arena[pixels], in: arena)
        let features = network.trace(in: arena, on: pool, show: show)
        switch fused {
        case .some(let fused): return fused.traceJoin(features, in: arena, on: pool, show: show)
        case .none: return features
        }
    }

    /// Ends the life of the features in the plan: called after the projector planned its last use.
    public func releaseOutput(from planner: inout MemoryPlanner) {
        switch fused {
        case .some(let fused): fused.releaseOutput(from: &planner)
        case .none: network.releaseOutput(from: &planner)
        }
    }
}
