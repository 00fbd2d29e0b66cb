// SPDX-License-Identifier: Apache-2.0

/// The layers of a FastViT, the encoder of MobileCLIP, whose blocks tell by their tensors what they
/// are; all that is parallel in training is folded, if it is not yet.
///
/// - Source: Vasu et al. 2023 (FastViT), figure 2; Vasu et al. 2024 (MobileCLIP), section 4.1; timm,
///   models/fastvit.py.
struct FastViTLayers {
    /// Of all norms.
    static var epsilon: Float { 1e-5 }
    /// The width of an attention head.
    static var headWidth: Int { 32 }

    private(set) var layers: [LayerDescription] = []
    /// The count of channels of the last layer.
    private(set) var width = 0

    private let checkpoint: Checkpoint
    private let names: FastViTNames
    /// The layer before the next one.
    private var last: Int { layers.count - 1 }

    /// Finds the layers.
    ///
    /// - Throws: `ConversionError.missingTensor`, `.wrongShape` and `.unsupported`.
    init(of checkpoint: Checkpoint, _ names: FastViTNames) throws(ConversionError) {
        self.checkpoint = checkpoint
        self.names = names
        for (index, stride) in [2, 2, 1].enumerated() {
            try addMobileOne("\(names.stem).\(index)", stride: stride, activation: "gelu_erf")
        }
        for stage in names.stages(where: { hasAny(below: $0) }) {
            if let name = stage.downsample { try addDownsampling(name) }
            if let name = stage.positions { try addPositions(name) }
            var block = 0
            while has("\(stage.blocks).\(block).\(names.mlp).fc1.weight") {
                try addBlock("\(stage.blocks).\(block).")
                block += 1
            }
        }
        try addMobileOne(names.final, activation: "gelu_erf")
    }

    private func has(_ name: String) -> Bool { checkpoint[names.prefix + name] != nil }

    private func hasAny(below name: String) -> Bool {
        let beginning = "\(names.prefix)\(name)."
        return checkpoint.tensors.keys.contains { $0.hasPrefix(beginning) }
    }

    /// A convolution of timm's ConvNormAct.
    private func normed(_ name: String) -> FoldedConvolution.Branch {
        FoldedConvolution.Branch(
            weight: "\(names.prefix)\(name).conv.weight",
            norm: "\(names.prefix)\(name).bn"
        )
    }

    private func biased(_ name: String, scale: String? = nil) -> FoldedConvolution.Branch {
        FoldedConvolution.Branch(
            weight: "\(names.prefix)\(name).weight",
            bias: "\(names.prefix)\(name).bias",
            scale: scale.flatMap { has($0) ? names.prefix + $0 : nil }
        )
    }

    /// What was folded before, or nil.
    private func folded(_ name: String) -> [FoldedConvolution.Branch]? {
        has(name + ".weight") ? [biased(name)] : nil
    }

    /// The parallel branches of a MobileOneBlock.
    private func branches(of name: String) -> [FoldedConvolution.Branch] {
        if let folded = folded(name + ".reparam_conv") { return folded }
        var branches: [FoldedConvolution.Branch] = []
        while has("\(name).\(names.kernels).\(branches.count).conv.weight") {
            branches.append(normed("\(name).\(names.kernels).\(branches.count)"))
        }
        if has("\(name).\(names.pointwise).conv.weight") {
            branches.append(normed("\(name).\(names.pointwise)"))
        }
        if has("\(name).\(names.identity).weight") {
            branches.append(
                FoldedConvolution.Branch(norm: "\(names.prefix)\(name).\(names.identity)")
            )
        }
        return branches
    }

    private mutating func addDownsampling(_ name: String) throws(ConversionError) {
        let branches =
            folded("\(name).0.\(names.foldedLarge)")
            ?? [normed("\(name).0.\(names.large)"), normed(name + ".0.small_conv")]
        try add(name + ".0", branches: branches, stride: 2, activation: "gelu_erf")
        try addMobileOne(name + ".1", activation: "gelu_erf")
    }

    private mutating func addPositions(_ name: String) throws(ConversionError) {
        let branches =
            folded(name + ".reparam_conv")
            ?? [biased("\(name).\(names.positions)"), FoldedConvolution.Branch()]
        try add(name, branches: branches)
    }

    private mutating func addMobileOne(
        _ name: String,
        stride: Int = 1,
        activation: String
    ) throws(ConversionError) {
        try add(name, branches: branches(of: name), stride: stride, activation: activation)
    }

    /// A block: a token mixer, then a convolutional MLP beside a shortcut.
    private mutating func addBlock(_ name: String) throws(ConversionError) {
        let input = last
        let mixer = name + "token_mixer"
        let isAttention = has(mixer + ".qkv.weight")
        if isAttention {
            let weight = names.prefix + mixer + ".qkv.weight"
            let shape = checkpoint[weight]?.shape ?? []
            guard shape.count == 2, shape[0] == 3 * shape[1] else {
                throw .wrongShape(
                    path: checkpoint.path,
                    tensor: weight,
                    expected: [3 * (shape.last ?? 0), shape.last ?? 0],
                    found: shape
                )
            }
            let projection = NormedProjection(
                kind: has(name + "norm.running_var") ? .batch : .layer,
                weight: weight,
                norm: "\(names.prefix)\(name)norm",
                shape: shape,
                epsilon: Self.epsilon
            )
            let headCount = max(shape[1] / Self.headWidth, 1)
            layers.append(LayerDescription(weights: .attention(projection, headCount: headCount)))
            let out = biased(mixer + ".proj", scale: "\(name)layer_scale_1\(names.scaleEnd)")
            try add(mixer + ".proj", branches: [out], shortcut: input)
        } else if let folded = folded(mixer + ".reparam_conv") {
            try add(mixer, branches: folded)
        } else {
            // x + s (mixer(x) - norm(x)), s the layer scale.
            let scale = "\(names.prefix)\(mixer).layer_scale\(names.scaleEnd)"
            var branches = self.branches(of: mixer + ".mixer")
            for index in branches.indices { branches[index].scale = scale }
            branches.append(FoldedConvolution.Branch())
            branches.append(
                FoldedConvolution.Branch(
                    norm: "\(names.prefix)\(mixer).norm.\(names.identity)",
                    scale: scale,
                    sign: -1
                )
            )
            try add(mixer, branches: branches)
        }
        let mixed = last
        let scale = name + (isAttention ? "layer_scale_2" : "layer_scale") + names.scaleEnd
        let mlp = name + names.mlp
        try add(mlp + ".conv", branches: [normed(mlp + ".conv")])
        try add(mlp + ".fc1", branches: [biased(mlp + ".fc1")], activation: "gelu_erf")
        try add(mlp + ".fc2", branches: [biased(mlp + ".fc2", scale: scale)], shortcut: mixed)
    }

    /// Adds a convolution that has the shape of its first branch; all that read one channel are depthwise.
    private mutating func add(
        _ name: String,
        branches: [FoldedConvolution.Branch],
        stride: Int = 1,
        activation: String = "none",
        shortcut: Int = -1
    ) throws(ConversionError) {
        guard let weight = branches.first?.weight, let tensor = checkpoint[weight] else {
            throw .missingTensor(
                path: checkpoint.path,
                tensor: branches.first?.weight
                    ?? "\(names.prefix)\(name).\(names.kernels).0.conv.weight",
                expected: []
            )
        }
        var shape = tensor.shape
        if shape.count == 2 { shape += [1, 1] }
        guard shape.count == 4 else {
            throw .unsupported(
                path: tensor.path,
                what: "the tensor '\(weight)' should have 4 dimensions, has \(tensor.shape)"
            )
        }
        width = shape[0]
        layers.append(
            LayerDescription(
                weights: .convolution(
                    FoldedConvolution(branches: branches, shape: shape, epsilon: Self.epsilon)
                ),
                stride: stride,
                isDepthwise: shape[1] == 1,
                activation: activation,
                shortcut: shortcut,
                excitation: excitation(name + ".se")
            )
        )
    }

    /// The layers of a squeeze-and-excitation, under timm's names or those of Apple's MobileOneBlock.
    private func excitation(_ name: String) -> [String]? {
        [["fc1", "fc2"], ["reduce", "expand"]].first { has("\(name).\($0[0]).weight") }?
            .map { "\(names.prefix)\(name).\($0)." }
    }
}
