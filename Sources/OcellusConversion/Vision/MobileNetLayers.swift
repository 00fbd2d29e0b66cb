// SPDX-License-Identifier: Apache-2.0

/// One layer of a published MobileNet: a convolution, its batch norm, its activation.
struct MobileNetLayer {
    /// The name of the convolution in the checkpoint.
    let convolution: String
    /// The name of the batch norm.
    let norm: String
    var stride = 1
    /// The side of the kernel.
    var kernel = 1
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
                kernel: depthwise || name == "conv_stem" ? 3 : 1,
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

    /// MobileNetV2 of transformers; `channels` counts those of a norm.
    static func huggingFaceV2(
        _ prefix: String,
        channels: (String) -> Int
    ) -> [MobileNetLayer] {
        let strides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]
        var layers: [MobileNetLayer] = []
        func add(
            _ name: String,
            _ stride: Int = 1,
            kernel: Int = 1,
            depthwise: Bool = false,
            activated: Bool = true,
            shortcut: Int = -1
        ) {
            layers.append(
                MobileNetLayer(
                    convolution: "\(prefix)\(name).convolution",
                    norm: "\(prefix)\(name).normalization",
                    stride: stride,
                    kernel: depthwise ? 3 : kernel,
                    isDepthwise: depthwise,
                    isActivated: activated,
                    shortcut: shortcut
                )
            )
        }
        add("conv_stem.first_conv", 2, kernel: 3)
        add("conv_stem.conv_3x3", depthwise: true)
        add("conv_stem.reduce_1x1", activated: false)
        for (index, stride) in strides.enumerated() {
            let (input, name) = (layers.count - 1, "layer.\(index)")
            let before = layers[input].norm
            add(name + ".expand_1x1")
            add(name + ".conv_3x3", stride, depthwise: true)
            let after = "\(prefix)\(name).reduce_1x1.normalization"
            let isResidual = stride == 1 && channels(before) == channels(after)
            add(name + ".reduce_1x1", activated: false, shortcut: isResidual ? input : -1)
        }
        add("conv_1x1")
        return layers
    }

    /// MobileNetV1 and V2 of timm; those whose names end with "d" are deeper, with "h" they have a head.
    static func timm(_ architecture: String, channels: (String) -> Int) -> [MobileNetLayer] {
        let isV1 = architecture.hasPrefix("mobilenetv1")
        let strides = isV1 ? [1, 2, 2, 2, 2] : [1, 2, 2, 2, 1, 2, 1]
        let blockCounts =
            switch architecture {
            case _ where isV1: [1, 2, 2, 6, 2]
            case "mobilenetv2_110d": [1, 3, 4, 5, 4, 4, 1]
            case "mobilenetv2_120d": [1, 3, 5, 6, 5, 5, 1]
            default: [1, 2, 3, 4, 3, 3, 1]
            }
        var layers = [MobileNetLayer(convolution: "conv_stem", norm: "bn1", stride: 2, kernel: 3)]
        for (stage, stride) in strides.enumerated() {
            for block in 0..<blockCounts[stage] {
                let name = "blocks.\(stage).\(block)."
                let stride = block == 0 ? stride : 1
                let input = layers.count - 1
                let isExpanded = !isV1 && stage > 0
                let lastNorm = name + (isExpanded ? "bn3" : "bn2")
                let isResidual =
                    !isV1 && stride == 1 && channels(layers[input].norm) == channels(lastNorm)
                if isExpanded {
                    layers.append(MobileNetLayer(convolution: name + "conv_pw", norm: name + "bn1"))
                }
                layers.append(
                    MobileNetLayer(
                        convolution: name + "conv_dw",
                        norm: name + (isExpanded ? "bn2" : "bn1"),
                        stride: stride,
                        kernel: 3,
                        isDepthwise: true
                    )
                )
                layers.append(
                    MobileNetLayer(
                        convolution: name + (isExpanded ? "conv_pwl" : "conv_pw"),
                        norm: lastNorm,
                        isActivated: isV1,
                        shortcut: isResidual ? input : -1
                    )
                )
            }
        }
        if !isV1 || architecture.hasSuffix("h") {
            layers.append(MobileNetLayer(convolution: "conv_head", norm: "bn2"))
        }
        return layers
    }
}
