// SPDX-License-Identifier: Apache-2.0

/// The layers of a FastViT, the encoder of MobileCLIP; all that is parallel in training is folded, if it is
/// not yet.
///
/// Which layers there are, the architecture says. How wide they are, no configuration does: what makes more
/// channels has as many as its norm or bias.
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
    private(set) var width = 3

    /// The count of blocks of all stages.
    private(set) var blockCount = 0
    /// Whether that count is what the checkpoint has, as nothing states it.
    private(set) var isDepthMeasured = false

    private let checkpoint: Checkpoint
    private let names: FastViTNames
    private let architecture: FastViTArchitecture
    /// Whether parallel branches were folded before the checkpoint was stored.
    private let isFolded: Bool
    /// The layer before the next one.
    private var last: Int { layers.count - 1 }

    /// Describes the layers.
    ///
    /// - Parameters:
    ///   - checkpoint: The tensors.
    ///   - names: What they are called.
    ///   - architecture: Which model it is.
    ///   - blockCounts: The counts of blocks, if the configuration states them.
    /// - Throws: `ConversionError.missingTensor`.
    init(
        of checkpoint: Checkpoint,
        _ names: FastViTNames,
        _ architecture: FastViTArchitecture,
        blockCounts: [Int]?
    ) throws(ConversionError) {
        self.checkpoint = checkpoint
        self.names = names
        self.architecture = architecture
        let folded = "\(names.prefix)\(names.stem).0.reparam_conv."
        isFolded = checkpoint.tensors.keys.contains { $0.hasPrefix(folded) }
        try addStem()
        let blockCounts = blockCounts ?? architecture.blockCounts(width: width)
        isDepthMeasured = blockCounts == nil
        for stage in 0..<architecture.stageCount {
            let places = names.stage(stage, of: architecture)
            if let name = places.downsample {
                try addDownsampling(
                    name,
                    hasExcitation: architecture.hasExcitation(before: stage)
                )
            }
            if let name = places.positions { addPositions(name) }
            let count =
                blockCounts?[stage] ?? checkpoint.moduleCount(below: full(places.blocks))
            blockCount += count
            for block in 0..<count {
                let name = "\(places.blocks)\(block)."
                if architecture.hasAttention(in: stage) {
                    try addAttentionBlock(name)
                } else {
                    try addConvolutionBlock(name)
                }
            }
        }
        addMobileOne(
            names.final,
            outputs: 2 * width,
            kernel: 3,
            activation: "gelu_erf",
            excitation: names.finalExcitation
        )
    }

    private func full(_ name: String) -> String { names.prefix + name }

    /// The count of elements of a vector.
    private func count(_ name: String) throws(ConversionError) -> Int {
        guard let tensor = checkpoint[full(name)] else { throw checkpoint.missing(full(name)) }
        return tensor.shape.first ?? 1
    }

    /// A convolution of timm's ConvNormAct.
    private func normed(_ name: String, kernel: Int? = nil) -> FoldedConvolution.Branch {
        FoldedConvolution.Branch(
            weight: full(name) + ".conv.weight",
            kernel: kernel,
            norm: full(name) + ".bn"
        )
    }

    private func biased(_ name: String, scale: String? = nil) -> FoldedConvolution.Branch {
        FoldedConvolution.Branch(
            weight: full(name) + ".weight",
            bias: full(name) + ".bias",
            scale: scale.map(full)
        )
    }

    /// The parallel branches of a MobileOneBlock.
    private func branches(
        _ name: String,
        hasPointwise: Bool,
        hasIdentity: Bool
    ) -> [FoldedConvolution.Branch] {
        var branches = [normed("\(name).\(names.kernels).0")]
        if hasPointwise { branches.append(normed("\(name).\(names.pointwise)", kernel: 1)) }
        if hasIdentity {
            let norm = full(name) + "." + names.identity
            branches.append(FoldedConvolution.Branch(norm: norm))
        }
        return branches
    }

    private mutating func addStem() throws(ConversionError) {
        let hasPointwise = architecture.stemHasPointwise
        let vector = isFolded ? "reparam_conv.bias" : "\(names.kernels).0.bn.weight"
        let outputs = try count("\(names.stem).0.\(vector)")
        let strides = [2, 2, 1]
        for (index, kernel) in [3, 3, 1].enumerated() {
            addMobileOne(
                "\(names.stem).\(index)",
                outputs: outputs,
                kernel: kernel,
                isDense: index != 1,
                stride: strides[index],
                hasPointwise: hasPointwise,
                activation: "gelu_erf"
            )
        }
    }

    private mutating func addDownsampling(
        _ name: String,
        hasExcitation: Bool
    ) throws(ConversionError) {
        let (large, folded) = ("\(name).0.\(names.large)", "\(name).0.\(names.foldedLarge)")
        add(
            isFolded
                ? [biased(folded)] : [normed(large), normed(name + ".0.small_conv", kernel: 3)],
            outputs: try count(isFolded ? folded + ".bias" : large + ".bn.weight"),
            kernel: 7,
            stride: 2,
            activation: "gelu_erf",
            excitation: hasExcitation ? ["fc1", "fc2"].map { full("\(name).0.se.\($0).") } : nil
        )
        addMobileOne(
            name + ".1",
            outputs: width,
            kernel: 1,
            isDense: true,
            activation: "gelu_erf"
        )
    }

    private mutating func addPositions(_ name: String) {
        let folded = [biased(name + ".reparam_conv")]
        let branches = [biased("\(name).\(names.positions)"), FoldedConvolution.Branch()]
        add(isFolded ? folded : branches, outputs: width, kernel: 7)
    }

    /// A MobileOneBlock.
    private mutating func addMobileOne(
        _ name: String,
        outputs: Int,
        kernel: Int,
        isDense: Bool = false,
        stride: Int = 1,
        hasPointwise: Bool = true,
        activation: String,
        excitation: [String]? = nil
    ) {
        let branches = branches(
            name,
            hasPointwise: hasPointwise && kernel > 1,
            hasIdentity: stride == 1 && outputs == width
        )
        add(
            isFolded ? [biased(name + ".reparam_conv")] : branches,
            outputs: outputs,
            kernel: kernel,
            isDense: isDense,
            stride: stride,
            activation: activation,
            excitation: excitation?.map { full("\(name).se.\($0).") }
        )
    }

    /// A convolution mixes tokens: x + s (mixer(x) - norm(x)), s the layer scale.
    private mutating func addConvolutionBlock(_ name: String) throws(ConversionError) {
        let mixer = name + "token_mixer"
        let scale = full(mixer) + ".layer_scale" + names.scaleEnd
        var branches = branches(mixer + ".mixer", hasPointwise: true, hasIdentity: true)
        for index in branches.indices { branches[index].scale = scale }
        let norm = full("\(mixer).norm.\(names.identity)")
        branches.append(FoldedConvolution.Branch())
        branches.append(FoldedConvolution.Branch(norm: norm, scale: scale, sign: -1))
        add(isFolded ? [biased(mixer + ".reparam_conv")] : branches, outputs: width, kernel: 3)
        try addMLP(name, scale: "layer_scale")
    }

    /// Attention mixes tokens, beside a shortcut.
    private mutating func addAttentionBlock(_ name: String) throws(ConversionError) {
        let input = last
        let mixer = name + "token_mixer"
        let projection = NormedProjection(
            kind: architecture.attentionNorm,
            weight: full(mixer) + ".qkv.weight",
            norm: full(name) + "norm",
            shape: [3 * width, width],
            epsilon: Self.epsilon
        )
        let headCount = max(width / Self.headWidth, 1)
        layers.append(LayerDescription(weights: .attention(projection, headCount: headCount)))
        let out = biased(mixer + ".proj", scale: "\(name)layer_scale_1\(names.scaleEnd)")
        add([out], outputs: width, kernel: 1, isDense: true, shortcut: input)
        try addMLP(name, scale: "layer_scale_2")
    }

    /// A convolutional MLP beside a shortcut.
    private mutating func addMLP(_ name: String, scale: String) throws(ConversionError) {
        let (input, outputs, mlp) = (last, width, name + names.mlp)
        add([normed(mlp + ".conv")], outputs: outputs, kernel: 7)
        add(
            [biased(mlp + ".fc1")],
            outputs: try count(mlp + ".fc1.bias"),
            kernel: 1,
            isDense: true,
            activation: "gelu_erf"
        )
        let second = biased(mlp + ".fc2", scale: name + scale + names.scaleEnd)
        add([second], outputs: outputs, kernel: 1, isDense: true, shortcut: input)
    }

    /// Adds a convolution, a depthwise one if it is not dense.
    private mutating func add(
        _ branches: [FoldedConvolution.Branch],
        outputs: Int,
        kernel: Int,
        isDense: Bool = false,
        stride: Int = 1,
        activation: String = "none",
        shortcut: Int = -1,
        excitation: [String]? = nil
    ) {
        let shape = [outputs, isDense ? width : 1, kernel, kernel]
        width = outputs
        layers.append(
            LayerDescription(
                weights: .convolution(
                    FoldedConvolution(branches: branches, shape: shape, epsilon: Self.epsilon)
                ),
                stride: stride,
                isDepthwise: shape[1] == 1,
                activation: activation,
                shortcut: shortcut,
                excitation: excitation
            )
        )
    }
}
