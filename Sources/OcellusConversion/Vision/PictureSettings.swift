// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat

/// How a published model wants its pictures: size, resize, crop, normalisation.
struct PictureSettings {
    static let imageNet: (mean: [Float], deviation: [Float]) = (
        [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    )
    static let openAI: (mean: [Float], deviation: [Float]) = (
        [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    )
    static let half: (mean: [Float], deviation: [Float]) = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])

    /// Width and height that the encoder takes, in pixels.
    var side: Int
    /// By how much the shorter side of the resized picture is larger.
    var margin = 0
    var mean: [Float]
    var deviation: [Float]
    /// The value of "ocellus.image.strategy": "stretch", "crop" or "pad".
    var strategy: String
    /// The value of "ocellus.image.filter": "bicubic" or "bilinear".
    var filter: String

    /// The settings in preprocessor_config.json beside a model of transformers, on top of those that the
    /// model has without it.
    ///
    /// - Source: transformers, image_processing_backends.py.
    func overridden(besides model: PublishedModel) throws -> PictureSettings {
        let path = "\(model.folder)/preprocessor_config.json"
        guard FileManager.default.fileExists(atPath: path) else { return self }
        let settings = try ModelSettings(path: path)
        for key in ["do_resize", "do_rescale", "do_normalize"] { try settings.require(key, true) }
        let factor = try settings.number("rescale_factor", default: 1 / 255)
        guard abs(factor * 255 - 1) < 1e-4 else {
            throw settings.bad(
                "rescale_factor",
                "1 / 255",
                try settings.value("rescale_factor")
            )
        }
        var pictures = self
        pictures.mean = try Self.channels("image_mean", settings) ?? mean
        pictures.deviation = try Self.deviation("image_std", settings) ?? deviation
        if settings.has("resample") {
            pictures.filter = try Self.filter("resample", settings, [2: "bilinear", 3: "bicubic"])
        }
        let isCropped = try settings.flag("do_center_crop", default: strategy == "crop")
        guard isCropped else {
            pictures.strategy = "stretch"
            pictures.side = try Self.edge("size", settings) ?? side
            return pictures
        }
        pictures.strategy = "crop"
        pictures.side = try Self.edge("crop_size", settings) ?? side
        let resized = try Self.edge("size", settings) ?? pictures.side + margin
        guard pictures.side...2 * pictures.side ~= resized else {
            throw settings.bad(
                "size",
                "at least \(pictures.side), at most twice that",
                .number(Double(resized))
            )
        }
        pictures.margin = resized - pictures.side
        return pictures
    }

    /// The settings in a configuration of timm.
    ///
    /// - Source: timm, data/config.py and data/transforms_factory.py.
    init(
        timm settings: ModelSettings,
        norm: (mean: [Float], deviation: [Float]) = imageNet
    ) throws(ConversionError) {
        side = 224
        if settings.has("input_size") {
            let value = try settings.value("input_size")
            guard let sizes = value.ints, sizes.count == 3, sizes[1] == sizes[2], sizes[1] > 0,
                sizes[1] <= 4096
            else { throw settings.bad("input_size", "[3, side, side]", value) }
            side = sizes[1]
        }
        let fraction = try settings.number("crop_pct", default: 1)
        guard fraction > 0.5, fraction <= 1 else {
            throw settings.bad("crop_pct", "above 0.5, at most 1", .number(Double(fraction)))
        }
        margin = Int(Double(side) / Double(fraction)) - side
        mean = try Self.channels("mean", settings) ?? norm.mean
        deviation = try Self.deviation("std", settings) ?? norm.deviation
        let mode = try settings.text("crop_mode", default: "center")
        switch mode {
        case "center": strategy = "crop"
        case "squash": strategy = "stretch"
        default: throw settings.bad("crop_mode", "'center' or 'squash'", .string(mode))
        }
        filter = try Self.filter(settings)
    }

    /// The settings in a configuration of open_clip.
    ///
    /// - Source: open_clip, transform.py.
    init(openCLIP settings: ModelSettings, side: Int) throws(ConversionError) {
        self.side = side
        mean = try Self.channels("mean", settings) ?? Self.openAI.mean
        deviation = try Self.deviation("std", settings) ?? Self.openAI.deviation
        let mode = try settings.text("resize_mode", default: "shortest")
        switch mode {
        case "shortest": strategy = "crop"
        case "squash": strategy = "stretch"
        default: throw settings.bad("resize_mode", "'shortest' or 'squash'", .string(mode))
        }
        filter = try Self.filter(settings)
    }

    /// The settings of Apple's MobileCLIP, whose configuration has the size alone.
    ///
    /// - Source: ml-mobileclip, mobileclip/__init__.py.
    init(apple settings: ModelSettings) throws(ConversionError) {
        self.init(
            side: try settings.size("image_size", default: 256),
            norm: (mean: [0, 0, 0], deviation: [1, 1, 1]),
            strategy: "crop",
            filter: "bilinear"
        )
    }

    /// The settings of a model that says nothing.
    init(
        side: Int,
        norm: (mean: [Float], deviation: [Float]),
        strategy: String,
        filter: String = "bicubic"
    ) {
        self.side = side
        (mean, deviation) = norm
        self.strategy = strategy
        self.filter = filter
    }

    /// Adds the keys that a file has once, for all its towers.
    func add(to file: inout FileDescription) {
        file.add("ocellus.image.strategy", .string(strategy))
        file.add("ocellus.image.filter", .string(filter))
        file.add("ocellus.image.margin", .uint32(UInt32(margin)))
    }

    /// Adds the keys of one tower.
    func addSize(_ keys: String, to file: inout FileDescription) {
        file.add(keys + "image_size", .uint32(UInt32(side)))
        file.add(keys + "image_mean", .float32s(mean))
        file.add(keys + "image_std", .float32s(deviation))
    }

    private static func filter(_ settings: ModelSettings) throws(ConversionError) -> String {
        let name = try settings.text("interpolation", default: "bicubic")
        guard ["bicubic", "bilinear"].contains(name) else {
            throw settings.bad("interpolation", "'bicubic' or 'bilinear'", .string(name))
        }
        return name
    }

    /// The name of one of Pillow's filters.
    private static func filter(
        _ key: String,
        _ settings: ModelSettings,
        _ names: [Int: String]
    ) throws(ConversionError) -> String {
        let value = try settings.value(key)
        guard let name = value.int.flatMap({ names[$0] }) else {
            throw settings.bad(key, "2 (bilinear) or 3 (bicubic)", value)
        }
        return name
    }

    /// A square size: a number, {"shortest_edge": n} or {"height": n, "width": n}.
    private static func edge(
        _ key: String,
        _ settings: ModelSettings
    ) throws(ConversionError) -> Int? {
        guard settings.has(key) else { return nil }
        let value = try settings.value(key)
        guard value.members != nil else { return try side(key, settings) }
        let sizes = try settings.below(key)
        if sizes.has("shortest_edge") { return try side("shortest_edge", sizes) }
        let height = try side("height", sizes)
        guard try side("width", sizes) == height else {
            throw sizes.bad("width", "\(height) as the height", try sizes.value("width"))
        }
        return height
    }

    /// A count of pixels.
    private static func side(
        _ key: String,
        _ settings: ModelSettings
    ) throws(ConversionError) -> Int {
        let value = try settings.value(key)
        guard let side = value.int, 1...4096 ~= side else {
            throw settings.bad(key, "a whole number from 1 to 4096", value)
        }
        return side
    }

    private static func channels(
        _ key: String,
        _ settings: ModelSettings
    ) throws(ConversionError) -> [Float]? {
        guard settings.has(key) else { return nil }
        let value = try settings.value(key)
        let numbers = (value.array ?? []).compactMap(\.number).map { Float($0) }
        guard numbers.count == 3, numbers.allSatisfy(\.isFinite) else {
            throw settings.bad(key, "three numbers", value)
        }
        return numbers
    }

    /// What pixels are divided by.
    private static func deviation(
        _ key: String,
        _ settings: ModelSettings
    ) throws(ConversionError) -> [Float]? {
        guard let numbers = try channels(key, settings) else { return nil }
        guard numbers.allSatisfy({ $0 > 0 && (1 / $0).isFinite }) else {
            throw settings.bad(key, "three numbers above 0", try settings.value(key))
        }
        return numbers
    }
}
