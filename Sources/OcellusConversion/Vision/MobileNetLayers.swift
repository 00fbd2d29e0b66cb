// SPDX-License-Identifier: Apache-2.0

/// One layer of a published MobileNet: a convolution, its batch norm, its activation.
struct MobileNetLayer {
    /// The name of the convolution in the checkpoint.
    let convolution: String
    /// The name of the batch norm.
    let norm: String
    var stride = 1
    var isDepthwise = false
    /// Whether the activation of the network follows.
    var isActivated = true
    /// The layer whose result is added, or -1.
    var shortcut = -1
}

/// The layers of the MobileNets of transformers and timm, in their order.
///
/// - Source: Howard et al. 2017, table 1; Sandler et al. 2018, table 2; transformers,
///   models/mobilenet_v{1,2}/modeling_*.py; timm, models/{mobilenetv3,efficientnet}.py.
enum MobileNetLayers {
    /// MobileNetV1 of transformers.
    static func huggingFaceV1(_ prefix: String) -> [MobileNetLayer] {
        let strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
        func layer(_ name: String, _ stride: Int, depthwise: Bool) -> MobileNetLayer {
            MobileNetLayer(
                convolution: "\(prefix)\(name).convolution",
                norm: "\(prefix)\(name).normalization",
                stride: stride,
                isDepthwise: depthwise
            )
        }
        return [layer("conv_stem", 2, depthwise: false)]
            + strides.enumerated().flatMap { index, stride in
                [
                    layer("layer.\(2 * index)", stride, depthwise: true),
                    layer("layer.\(2 * index + 1)", 1, depthwise: false),
                ]
            }
    }

    /// MobileNetV2 of transformers; `channels` counts the outputs of a convolution.
    static func huggingFaceV2(
        _ prefix: String,
        channels: (String) -> Int
    ) -> [MobileNetLayer] {
        let strides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]
        var layers: [MobileNetLayer] = []
        func add(
            _ name: String,
            _ stride: Int = 1,
            depthwise: Bool = false,
            activated: Bool = true,
            shortcut: Int = -1
        ) {
            layers.append(
                MobileNetLayer(
                    convolution: "\(prefix)\(name).convolution",
                    norm: "\(prefix)\(name).normalization",
                    stride: stride,
                    isDepthwise: depthwise,
                    isActivated: activated,
                    shortcut: shortcut
                )
            )
        }
        add("conv_stem.first_conv", 2)
        add("conv_stem.conv_3x3", depthwise: true)
        add("conv_stem.reduce_1x1", activated: false)
        for (index, stride) in strides.enumerated() {
            let (input, name) = (layers.count - 1, "layer.\(index)")
            let before = layers[input].convolution
            add(name + ".expand_1x1")
            add(name + ".conv_3x3", stride, depthwise: true)
            let after = "\(prefix)\(name).reduce_1x1.convolution"
            let isResidual = stride == 1 && channels(before) == channels(after)
            add(name + ".reduce_1x1", activated: false, shortcut: isResidual ? input : -1)
        }
        add("conv_1x1")
        return layers
    }

    /// MobileNetV1 and V2 of timm, whose blocks tell by their tensors what they are.
    static func timm(
        _ checkpoint: Checkpoint,
        isV1: Bool,
        channels: (String) -> Int
    ) -> [MobileNetLayer] {
        let strides = isV1 ? [1, 2, 2, 2, 2] : [1, 2, 2, 2, 1, 2, 1]
        var layers = [MobileNetLayer(convolution: "conv_stem", norm: "bn1", stride: 2)]
        for (stage, stride) in strides.enumerated() {
            var block = 0
            while checkpoint["blocks.\(stage).\(block).conv_dw.weight"] != nil {
                let name = "blocks.\(stage).\(block)."
                let stride = block == 0 ? stride : 1
                let input = layers.count - 1
                let isExpanded = checkpoint[name + "conv_pwl.weight"] != nil
                let last = name + (isExpanded ? "conv_pwl" : "conv_pw")
                let isResidual =
                    !isV1 && stride == 1
                    && channels(layers[input].convolution) == channels(last)
                if isExpanded {
                    layers.append(MobileNetLayer(convolution: name + "conv_pw", norm: name + "bn1"))
                }
                layers.append(
                    MobileNetLayer(
                        convolution: name + "conv_dw",
                        norm: name + (isExpanded ? "bn2" : "bn1"),
                        stride: stride,
                        isDepthwise: true
                    )
                )
                layers.append(
                    MobileNetLayer(
                        convolution: last,
                        norm: name + (isExpanded ? "bn3" : "bn2"),
                        isActivated: isV1,
                        shortcut: isResidual ? input : -1
                    )
                )
                block += 1
            }
        }
        if checkpoint["conv_head.weight"] != nil {
            layers.append(MobileNetLayer(convolution: "conv_head", norm: "bn2"))
        }
        return layers
    }
}
