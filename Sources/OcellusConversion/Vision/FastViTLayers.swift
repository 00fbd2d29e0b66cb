// SPDX-License-Identifier: Apache-2.0

/// The layers of a FastViT of timm, the encoder of MobileCLIP, whose blocks tell by their tensors what they
/// are; all that is parallel in training is folded.
///
/// - Source: Vasu et al. 2023 (FastViT), figure 2; Vasu et al. 2024 (MobileCLIP), section 4.1; timm,
///   models/fastvit.py.
struct FastViTLayers {
    /// timm's batch norms.
    static var epsilon: Float { 1e-5 }
    /// The width of an attention head.
    static var headWidth: Int { 32 }

    private(set) var layers: [LayerDescription] = []

    private let checkpoint: Checkpoint
    /// What all names begin with.
    private let prefix: String
    /// The layer before the next one.
    private var last: Int { layers.count - 1 }

    /// Finds the layers.
    ///
    /// - Throws: `ConversionError.missingTensor`.
    init(of checkpoint: Checkpoint, below prefix: String) throws(ConversionError) {
        self.checkpoint = checkpoint
        self.prefix = prefix
        for (index, stride) in [2, 2, 1].enumerated() {
            try addMobileOne("stem.\(index)", stride: stride, activation: "gelu_erf")
        }
        var stage = 0
        while has("stages.\(stage).blocks.0.mlp.fc1.weight") {
            let name = "stages.\(stage)."
            if has(name + "downsample.proj.0.large_conv.conv.weight") {
                try add(
                    name + "downsample.proj.0",
                    branches: [
                        normed(name + "downsample.proj.0.large_conv"),
                        normed(name + "downsample.proj.0.small_conv"),
                    ],
                    stride: 2,
                    activation: "gelu_erf"
                )
                try addMobileOne(name + "downsample.proj.1", activation: "gelu_erf")
            }
            if has(name + "pos_emb.pos_enc.weight") {
                let convolution = biased(name + "pos_emb.pos_enc")
                try add(name + "pos_emb", branches: [convolution, FoldedConvolution.Branch()])
            }
            var block = 0
            while has("\(name)blocks.\(block).mlp.fc1.weight") {
                try addBlock("\(name)blocks.\(block).")
                block += 1
            }
            stage += 1
        }
        try addMobileOne("final_conv", activation: "gelu_erf")
    }

    private func has(_ name: String) -> Bool { checkpoint[prefix + name] != nil }

    /// A convolution of timm's ConvNormAct.
    private func normed(_ name: String) -> FoldedConvolution.Branch {
        FoldedConvolution.Branch(
            weight: "\(prefix)\(name).conv.weight",
            norm: "\(prefix)\(name).bn"
        )
    }

    private func biased(_ name: String, scale: String? = nil) -> FoldedConvolution.Branch {
        FoldedConvolution.Branch(
            weight: "\(prefix)\(name).weight",
            bias: "\(prefix)\(name).bias",
            scale: scale.flatMap { has($0) ? prefix + $0 : nil }
        )
    }

    /// The parallel branches of a MobileOneBlock.
    private func branches(of name: String) -> [FoldedConvolution.Branch] {
        var branches: [FoldedConvolution.Branch] = []
        while has("\(name).conv_kxk.\(branches.count).conv.weight") {
            branches.append(normed("\(name).conv_kxk.\(branches.count)"))
        }
        if has(name + ".conv_scale.conv.weight") { branches.append(normed(name + ".conv_scale")) }
        if has(name + ".identity.weight") {
            branches.append(FoldedConvolution.Branch(norm: "\(prefix)\(name).identity"))
        }
        return branches
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
            let shape = checkpoint[prefix + mixer + ".qkv.weight"]?.shape ?? []
            guard shape.count == 2, shape[0] == 3 * shape[1] else {
                throw .wrongShape(
                    path: checkpoint.path,
                    tensor: prefix + mixer + ".qkv.weight",
                    expected: [3 * (shape.last ?? 0), shape.last ?? 0],
                    found: shape
                )
            }
            let projection = NormedProjection(
                weight: prefix + mixer + ".qkv.weight",
                norm: "\(prefix)\(name)norm",
                shape: shape,
                epsilon: Self.epsilon
            )
            let headCount = max(shape[1] / Self.headWidth, 1)
            layers.append(LayerDescription(weights: .attention(projection, headCount: headCount)))
            let out = biased(mixer + ".proj", scale: name + "layer_scale_1.gamma")
            try add(mixer + ".proj", branches: [out], shortcut: input)
        } else {
            // x + s (mixer(x) - norm(x)), s the layer scale.
            let scale = prefix + mixer + ".layer_scale.gamma"
            var branches = self.branches(of: mixer + ".mixer")
            for index in branches.indices { branches[index].scale = scale }
            branches.append(FoldedConvolution.Branch())
            branches.append(
                FoldedConvolution.Branch(
                    norm: prefix + mixer + ".norm.identity",
                    scale: scale,
                    sign: -1
                )
            )
            try add(mixer, branches: branches)
        }
        let mixed = last
        let scale = name + (isAttention ? "layer_scale_2.gamma" : "layer_scale.gamma")
        try add(name + "mlp.conv", branches: [normed(name + "mlp.conv")])
        try add(name + "mlp.fc1", branches: [biased(name + "mlp.fc1")], activation: "gelu_erf")
        try add(
            name + "mlp.fc2",
            branches: [biased(name + "mlp.fc2", scale: scale)],
            shortcut: mixed
        )
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
                tensor: branches.first?.weight ?? "\(prefix)\(name).conv_kxk.0.conv.weight",
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
        let excitation = name + ".se"
        layers.append(
            LayerDescription(
                weights: .convolution(
                    FoldedConvolution(branches: branches, shape: shape, epsilon: Self.epsilon)
                ),
                stride: stride,
                isDepthwise: shape[1] == 1,
                activation: activation,
                shortcut: shortcut,
                excitation: has(excitation + ".fc1.weight") ? prefix + excitation : nil
            )
        )
    }
}
