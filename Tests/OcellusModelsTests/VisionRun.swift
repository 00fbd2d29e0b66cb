// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory
import OcellusModels

/// A vision encoder and a projector with all that they need to run.
final class VisionRun {
    private let file: ModelFile
    private let encoder: VisionEncoder
    private let projector: Projector
    private let pixels: PlannedTensor
    private let arena: Arena
    private let pool: ThreadPool

    convenience init(_ fixture: Fixture, threadCount: Int = 1) throws {
        try self.init(path: fixture.path("vision.gguf"), threadCount: threadCount)
    }

    /// With a threshold, what changed by no more, in steps of 1/255, is not computed again.
    init(path: String, threadCount: Int, reuseThreshold: Float? = nil) throws {
        let file = try ModelFile(path: path)
        let configuration = try VisionConfiguration(file: file)
        var planner = MemoryPlanner()
        let side = configuration.imageSize
        let pixels = planner.tensor("pixels", rows: 3, columns: side * side, in: .scratch)
        let changes = reuseThreshold.map {
            ChangedPixels(side: side, deviation: .one, threshold: $0, planner: &planner)
        }
        let encoder = try VisionEncoder(
            file: file,
            configuration: configuration,
            pixels: pixels,
            changes: changes,
            threadCount: threadCount,
            planner: &planner
        )
        let projector = try Projector(
            file: file,
            encoder: encoder,
            pixels: pixels,
            planner: &planner
        )
        let plan = try planner.plan()
        let arena = try smallArena(plan)
        encoder.prepare(in: arena)
        projector.prepare(in: arena)
        self.file = file
        self.encoder = encoder
        self.projector = projector
        self.pixels = pixels
        self.arena = arena
        pool = ThreadPool(threadCount: threadCount)
    }

    /// The count of values of a frame.
    var pixelCount: Int { pixels.rows * pixels.columns }

    /// The width and height of a frame.
    var side: Int { encoder.configuration.imageSize }

    /// What the convolutions of the last frame took.
    var work: ConvolutionWork { encoder.work(in: arena) }

    /// Forgets the frame before.
    func forget() {
        encoder.forget(in: arena)
    }

    /// The features (cells, dVision) and the tokens (tokens, dModel) of a frame, whose pixels
    /// (3, imageSize, imageSize) are normalised.
    func see(
        _ frame: some Collection<Float>,
        isFirst: Bool
    ) -> (features: [Float], tokens: [Float]) {
        let input = arena[pixels].reshaped(rows: 1, columns: frame.count)
        for (index, value) in frame.enumerated() { input[0, index] = value }
        let features = encoder.encode(in: arena, on: pool)
        let copied = elements(features)
        let tokens = projector.project(features, isFirstFrame: isFirst, in: arena, on: pool)
        return (copied, elements(tokens))
    }
}
