// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
public import OcellusImage
public import OcellusMemory
public import OcellusModels

/// The parts of a model that turn a frame into image tokens, and their buffers.
///
/// A class, so that the compiler sees one reference where a session uses it. Of a non-copyable struct it
/// walks all fields at each use, and there are hundreds: this module took minutes to compile.
public final class Vision {
    /// Where a frame source puts the picture: the bytes of the largest frame, three per pixel.
    public let frameSlot: PlannedBytes
    /// The preprocessed picture, (3, imageSize * imageSize).
    public let pixels: PlannedTensor
    /// Frame to pixels.
    public let preprocessor: Preprocessor
    /// Pixels to features.
    public let encoder: VisionEncoder
    /// Features to image tokens.
    public let projector: Projector
    /// Whether a frame is worth encoding.
    let gate: ChangeGate

    init(
        file: borrowing ModelFile,
        options: SessionOptions,
        planner: inout MemoryPlanner
    ) throws(OcellusError) {
        let configuration = try fromModels { () throws(ModelError) in
            try VisionConfiguration(file: file)
        }
        let side = configuration.imageSize
        let settings = try PreprocessorSettings(file: file, imageSize: side)
        let frame = options.maximumFrame
        let frameSlot = planner.bytes("frame", count: frame.frameByteCount, in: .state)
        let pixels = planner.tensor(
            "pixels",
            rows: 3,
            columns: side * side,
            in: .scratch
        )
        let preprocessor = Preprocessor(
            settings: settings,
            maximumFrame: frame,
            planner: &planner
        )
        let gate = ChangeGate(
            side: side,
            deviation: settings.standardDeviation,
            planner: &planner
        )
        let changes = options.reuseThreshold.map {
            ChangedPixels(
                side: side,
                deviation: settings.standardDeviation,
                threshold: $0,
                planner: &planner
            )
        }
        planner.advance()
        let encoder = try fromModels { () throws(ModelError) in
            try VisionEncoder(
                file: file,
                configuration: configuration,
                pixels: pixels,
                changes: changes,
                threadCount: options.threadCount,
                planner: &planner
            )
        }
        projector = try fromModels { () throws(ModelError) in
            try Projector(file: file, encoder: encoder, pixels: pixels, planner: &planner)
        }
        planner.release(pixels)
        self.frameSlot = frameSlot
        self.pixels = pixels
        self.preprocessor = preprocessor
        self.gate = gate
        self.encoder = encoder
    }

    /// Brings parameters into the form that the kernels read; called once, at start.
    func prepare(in arena: borrowing Arena) {
        encoder.prepare(in: arena)
        projector.prepare(in: arena)
    }
}

extension PreprocessorSettings {
    /// What a vision file says about the pictures that it takes; CLIP's habits where it is silent.
    init(file: borrowing ModelFile, imageSize: Int) throws(OcellusError) {
        let (mean, deviation, strategyName, filterName) = try fromFile {
            () throws(ModelFileError) in
            (
                try file.floats("clip.vision.image_mean"),
                try file.floats("clip.vision.image_std"),
                try file.string("ocellus.image.strategy", default: "crop"),
                try file.string("ocellus.image.filter", default: "bicubic")
            )
        }
        func refuse(_ what: String) -> OcellusError {
            .model(.unsupported(path: file.path, what: what))
        }
        guard mean.count == 3, deviation.count == 3, mean.allSatisfy({ $0.isFinite }),
            deviation.allSatisfy({ $0.isNormal && $0 > 0 })
        else {
            throw refuse(
                "clip.vision.image_mean and .image_std must have three numbers each, those of image_std above 0"
            )
        }
        let strategy: Strategy
        switch strategyName {
        case "stretch": strategy = .stretch
        case "crop": strategy = .crop
        case "pad": strategy = .pad
        default: throw refuse("ocellus.image.strategy is '\(strategyName)'")
        }
        let margin = try fromFile { () throws(ModelFileError) in
            try file.int("ocellus.image.margin", default: 0)
        }
        guard 0...imageSize ~= margin else {
            throw refuse("ocellus.image.margin is \(margin), not from 0 to \(imageSize)")
        }
        let filter: ResizeFilter
        switch filterName {
        case "bilinear": filter = .bilinear
        case "bicubic": filter = .bicubic
        default: throw refuse("ocellus.image.filter is '\(filterName)'")
        }
        self.init(
            outputWidth: imageSize,
            outputHeight: imageSize,
            margin: margin,
            mean: SIMD3(mean[0], mean[1], mean[2]),
            standardDeviation: SIMD3(deviation[0], deviation[1], deviation[2]),
            strategy: strategy,
            filter: filter
        )
    }
}
