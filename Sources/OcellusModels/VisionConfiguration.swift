// SPDX-License-Identifier: Apache-2.0
public import OcellusFormat
public import OcellusKernels

/// The sizes of a vision encoder, as its file states them.
public struct VisionConfiguration: Sendable {
    /// Which networks turn pixels into features.
    public enum Architecture: Sendable {
        /// A vision transformer on square patches of pixels.
        case vit
        /// A convolutional network; its last feature map is the result.
        case cnn
        /// A convolutional stem whose feature map is the transformer's input.
        case cnnVit
    }

    /// Which networks it has.
    public let architecture: Architecture
    /// Width and height of the pictures that it takes, in pixels.
    public let imageSize: Int
    /// Width and height of a patch in pixels (`.vit` only).
    public let patchSize: Int
    /// The width of a feature, D in the papers.
    public let dVision: Int
    /// The width inside the blocks' MLP.
    public let feedForwardWidth: Int
    /// The count of transformer blocks that run.
    public let blockCount: Int
    /// The count of attention heads.
    public let headCount: Int
    /// The epsilon of all layer norms.
    public let epsilon: Float
    /// The activation inside the blocks' MLP.
    public let activation: Activation
    /// Whether the features pass the norm after the last block, if the file has it.
    let hasFinalNorm: Bool
    /// Whose names the file's keys and tensors have.
    let tower: VisionTower

    /// Reads and checks the sizes of a file's first network.
    ///
    /// - Throws: `ModelError.file` for missing keys, `.unsupported` for what this version does not
    ///   run.
    public init(file: borrowing ModelFile) throws(ModelError) {
        try self.init(file: file, tower: VisionTower(index: 0))
    }

    /// Reads and checks the sizes of one of a file's networks.
    init(file: borrowing ModelFile, tower: VisionTower) throws(ModelError) {
        let path = file.path
        guard file.architecture == "clip" else {
            throw .unsupported(
                path: path,
                what: "architecture '\(file.architecture)' is not a vision file; clip is"
            )
        }
        func size(_ key: String, default fallback: Int? = nil) throws(ModelError) -> Int {
            let key = tower.keys + key
            if let fallback, !file.contains(key) { return fallback }
            let value = try reading { () throws(ModelFileError) in try file.int(key) }
            // Sizes far above any model are damage; they also keep all products inside an Int.
            guard value >= 0, value <= 1 << 16 else {
                throw .unsupported(path: path, what: "\(key) is \(value), not a possible size")
            }
            return value
        }
        let name = try reading { () throws(ModelFileError) in
            try file.string(tower.ownKeys + "encoder", default: "vit")
        }
        switch name {
        case "vit": architecture = .vit
        case "cnn": architecture = .cnn
        case "cnn-vit": architecture = .cnnVit
        default: throw .unsupported(path: path, what: "\(tower.ownKeys)encoder is '\(name)'")
        }
        imageSize = try size("image_size")
        dVision = try size("embedding_length")
        let needsBlocks = architecture != .cnn
        patchSize = try size("patch_size", default: architecture == .vit ? nil : 1)
        feedForwardWidth = try size("feed_forward_length", default: needsBlocks ? nil : 1)
        headCount = try size("attention.head_count", default: needsBlocks ? nil : 1)
        let features = try FeatureLayer(
            file: file,
            tower: tower,
            statedBlockCount: try size("block_count", default: needsBlocks ? nil : 0)
        )
        (blockCount, hasFinalNorm) = (features.blockCount, features.hasFinalNorm)
        epsilon = try reading { () throws(ModelFileError) in
            try file.float(tower.keys + "attention.layer_norm_epsilon", default: 1e-5)
        }
        guard epsilon.isFinite, epsilon >= 0 else {
            throw .unsupported(path: path, what: "the epsilon of the norms is not a number above 0")
        }
        activation = try Self.activation(file, tower)
        self.tower = tower
        guard imageSize > 0, dVision > 0, patchSize > 0, headCount > 0, feedForwardWidth > 0,
            dVision % headCount == 0, patchSize <= imageSize
        else {
            throw .unsupported(
                path: path,
                what: "image size \(imageSize), patch size \(patchSize), width \(dVision) and "
                    + "\(headCount) heads do not fit together"
            )
        }
    }

    /// The activation by our key, which tells the two GELUs apart, else by llama.cpp's flags.
    ///
    /// `clip.use_gelu` stands for "gelu" of a CLIP, which is the exact one. A SigLIP, which has no class token,
    /// has the tanh GELU, whether it stands there (llama.cpp's newer converter) or not (the older one).
    private static func activation(
        _ file: borrowing ModelFile,
        _ tower: VisionTower
    ) throws(ModelError) -> Activation {
        let key = tower.ownKeys + "activation"
        if file.contains(key) {
            let name = try reading { () throws(ModelFileError) in try file.string(key) }
            switch name {
            case "gelu_erf": return .geluErf
            case "gelu_tanh": return .geluTanh
            case "quick_gelu": return .quickGelu
            case "silu": return .silu
            default: throw .unsupported(path: file.path, what: "\(key) is '\(name)'")
            }
        }
        let (gelu, silu) = try reading { () throws(ModelFileError) in
            (
                try file.bool("clip.use_gelu", default: false),
                try file.bool("clip.use_silu", default: false)
            )
        }
        if silu { return .silu }
        guard file.hasTensor(tower.tensors + "class_embd") else { return .geluTanh }
        return gelu ? .geluErf : .quickGelu
    }
}
