// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// The projector of a published system: the tensors of its equation, each with the shape that it must have.
struct ProjectorDescription {
    /// The value of "clip.projector_type".
    let kind: String
    /// What the names of its tensors begin with in the checkpoint, and of none else.
    let prefix: String
    let tensors: [TensorMapping]
    /// What only a projector of this kind has.
    var metadata: [(key: String, value: MetadataValue)] = []

    /// No projector: the features are the tokens.
    static var none: Self { Self(kind: "none", prefix: "", tensors: []) }

    /// Linear layers with GELU between them: LLaVA, Cobra; `widths` are those of the features, then of the
    /// result of each layer.
    static func mlp(below prefix: String, _ names: [String], widths: [Int]) -> Self {
        Self(
            kind: "mlp",
            prefix: prefix,
            tensors: names.enumerated().flatMap { index, name in
                linear("mm.\(2 * index)", prefix + name, widths[index + 1], widths[index])
            }
        )
    }

    /// Two linear layers, then two depthwise blocks, of which the second halves the grid: MobileVLM.
    ///
    /// - Source: Chu et al. 2023, section 3.4; mobilevlm/model/vision_projector.py (LDPBlock).
    static func ldp(below prefix: String, inputs: Int, outputs: Int) -> Self {
        let (from, to) = (prefix + "model.", "mm.model.")
        return Self(
            kind: "ldp",
            prefix: prefix,
            tensors: linear(to + "mlp.1", from + "mlp.1", outputs, inputs)
                + linear(to + "mlp.3", from + "mlp.3", outputs, outputs)
                + invertedResidual(to + "mb_block.1", from + "mb_block.1", outputs)
                + invertedResidual(to + "mb_block.2", from + "mb_block.2", outputs)
        )
    }

    /// Two linear layers, a pooling, and a depthwise convolution beside a shortcut: MobileVLM V2, Cobra.
    ///
    /// - Source: Chu et al. 2024, section 3.3.
    static func ldpv2(
        below prefix: String,
        _ names: (first: String, second: String, filter: String),
        widths: (inputs: Int, hidden: Int, outputs: Int)
    ) -> Self {
        let (inputs, hidden, outputs) = widths
        return Self(
            kind: "ldpv2",
            prefix: prefix,
            tensors: linear("mm.model.mlp.0", prefix + names.first, hidden, inputs)
                + linear("mm.model.mlp.2", prefix + names.second, outputs, hidden)
                + [
                    filter("mm.model.peg.0", prefix + names.filter, outputs),
                    vector("mm.model.peg.0.bias", prefix + names.filter + ".bias", outputs),
                ]
        )
    }

    /// Whether a tensor of the checkpoint is one of a projector, of this one or of another.
    func owns(_ name: String) -> Bool { !prefix.isEmpty && name.hasPrefix(prefix) }

    /// Adds keys and tensors.
    func add(to file: inout FileDescription) {
        file.add("clip.has_vision_encoder", .bool(true))
        file.add("clip.has_llava_projector", .bool(kind != "none"))
        file.add("clip.projector_type", .string(kind))
        for (key, value) in metadata { file.add(key, value) }
        let ordered = tensors.sorted { $0.sources[0].name < $1.sources[0].name }
        for tensor in ordered { file.add(tensor) }
    }
}

/// The layers that projectors are made of.
extension ProjectorDescription {
    static func vector(_ name: String, _ source: String, _ width: Int) -> TensorMapping {
        TensorMapping(name, from: source, [width])
    }

    static func affine(_ name: String, _ source: String, _ width: Int) -> [TensorMapping] {
        [".weight", ".bias"].map { vector(name + $0, source + $0, width) }
    }

    static func linear(
        _ name: String,
        _ source: String,
        _ outputs: Int,
        _ inputs: Int
    ) -> [TensorMapping] {
        [
            TensorMapping(name + ".weight", from: source + ".weight", [outputs, inputs]),
            vector(name + ".bias", source + ".bias", outputs),
        ]
    }

    /// A convolution of single cells, which becomes a matrix.
    private static func pointwise(
        _ name: String,
        _ source: String,
        _ outputs: Int,
        _ inputs: Int
    ) -> TensorMapping {
        TensorMapping(
            name + ".weight",
            from: source + ".weight",
            [outputs, inputs, 1, 1],
            as: [outputs, inputs]
        )
    }

    /// A depthwise convolution of 3 x 3 cells.
    static func filter(_ name: String, _ source: String, _ channels: Int) -> TensorMapping {
        TensorMapping(
            name + ".weight",
            from: source + ".weight",
            [channels, 1, 3, 3],
            as: [channels, 3, 3],
            storage: .convolution
        )
    }

    /// MobileNetV3's block without expansion, with a squeeze-and-excitation and layer norms.
    ///
    /// - Source: torchvision, models/mobilenetv3.py (InvertedResidual) and _utils.py (_make_divisible).
    private static func invertedResidual(
        _ name: String,
        _ source: String,
        _ channels: Int
    ) -> [TensorMapping] {
        let (to, from) = (name + ".block.", source + ".block.")
        let quarter = channels / 4
        let rounded = max(8, (quarter + 4) / 8 * 8)
        let squeezed = 10 * rounded < 9 * quarter ? rounded + 8 : rounded
        return [filter(to + "0.0", from + "0.0", channels)]
            + affine(to + "0.1", from + "0.1", channels)
            + [
                pointwise(to + "1.fc1", from + "1.fc1", squeezed, channels),
                vector(to + "1.fc1.bias", from + "1.fc1.bias", squeezed),
                pointwise(to + "1.fc2", from + "1.fc2", channels, squeezed),
                vector(to + "1.fc2.bias", from + "1.fc2.bias", channels),
                pointwise(to + "2.0", from + "2.0", channels, channels),
            ]
            + affine(to + "2.1", from + "2.1", channels)
    }
}
