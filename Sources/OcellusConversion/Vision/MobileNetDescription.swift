// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat

/// The vision file of a MobileNet: convolutions with their batch norms folded in.
///
/// The features are the cells of the last map, before the pooling.
enum MobileNetDescription {
    private enum Layout { case huggingFaceV1, huggingFaceV2, timm }

    private static func layout(_ settings: ModelSettings) -> Layout? {
        switch settings.json["model_type"]?.string {
        case "mobilenet_v1": return .huggingFaceV1
        case "mobilenet_v2": return .huggingFaceV2
        default: break
        }
        let name = settings.json["architecture"]?.string ?? ""
        return name.hasPrefix("mobilenetv1") || name.hasPrefix("mobilenetv2") ? .timm : nil
    }

    /// Whether settings are those of a MobileNet V1 or V2.
    static func describes(_ settings: ModelSettings) -> Bool { layout(settings) != nil }

    /// Plans the file.
    ///
    /// - Throws: `ConversionError`.
    static func plan(
        for model: PublishedModel,
        _ options: ConversionOptions
    ) throws -> ConversionPlan {
        let (settings, checkpoint) = (model.settings, model.checkpoint)
        func channels(_ norm: String) -> Int { checkpoint[norm + ".weight"]?.shape.first ?? 0 }
        let isTimm: Bool
        let layers: [MobileNetLayer]
        switch layout(settings) {
        case .huggingFaceV1, nil:
            layers = MobileNetLayers.huggingFaceV1(prefix("mobilenet_v1.", checkpoint))
            isTimm = false
        case .huggingFaceV2:
            guard try settings.size("output_stride", default: 32) == 32 else {
                throw settings.bad("output_stride", "32", try settings.value("output_stride"))
            }
            try settings.require("first_layer_is_expansion", true)
            layers = MobileNetLayers.huggingFaceV2(
                prefix("mobilenet_v2.", checkpoint),
                channels: channels
            )
            isTimm = false
        case .timm:
            let name = try settings.text("architecture")
            layers = MobileNetLayers.timm(name, channels: channels)
            isTimm = true
        }
        var file = FileDescription(fileName: "vision.gguf", architecture: "clip")
        ModelConversion.addOrigin(of: model, options, to: &file)
        ProjectorDescription.none.add(to: &file)
        let pictures = try pictures(of: model, isTimm: isTimm)
        pictures.add(to: &file)
        pictures.addSize("clip.vision.", to: &file)
        let activation = isTimm ? "relu6" : try settings.text("hidden_act", default: "relu6")
        guard ["relu", "relu6"].contains(activation) else {
            throw settings.bad("hidden_act", "'relu' or 'relu6'", .string(activation))
        }
        let epsilon = isTimm ? 1e-5 : try settings.number("layer_norm_eps", default: 1e-3)
        let isSame = isTimm ? false : try settings.flag("tf_padding", default: true)
        var width = 3
        let descriptions = try layers.map {
            try description(of: $0, &width, activation, epsilon, checkpoint)
        }
        try LayerDescription.addNetwork(
            descriptions,
            padding: isSame ? "tensorflow" : "pytorch",
            width: width,
            of: checkpoint,
            to: &file
        )
        for name in checkpoint.tensors.keys
        where name.hasPrefix("classifier.") || name.hasSuffix("num_batches_tracked") {
            file.ignored.insert(name)
        }
        return try ConversionPlan(file, of: checkpoint, type: options.type)
    }

    /// The prefix that checkpoints of classifiers have.
    private static func prefix(_ name: String, _ checkpoint: Checkpoint) -> String {
        checkpoint.tensors.keys.contains { $0.hasPrefix(name) } ? name : ""
    }

    /// Google's MobileNets take pixels from -1 to 1.
    private static func pictures(
        of model: PublishedModel,
        isTimm: Bool
    ) throws -> PictureSettings {
        guard !isTimm else {
            return try PictureSettings(timm: try model.settings.below("pretrained_cfg"))
        }
        let usual = PictureSettings(
            side: try model.settings.size("image_size", default: 224),
            norm: PictureSettings.half,
            strategy: "crop",
            filter: "bilinear"
        )
        return try usual.overridden(besides: model)
    }

    /// A layer that reads `width` channels, and writes as many as its norm has.
    private static func description(
        of layer: MobileNetLayer,
        _ width: inout Int,
        _ activation: String,
        _ epsilon: Float,
        _ checkpoint: Checkpoint
    ) throws(ConversionError) -> LayerDescription {
        let gain = layer.norm + ".weight"
        guard let tensor = checkpoint[gain] else { throw checkpoint.missing(gain) }
        let outputs = layer.isDepthwise ? width : tensor.shape.first ?? 1
        let inputs = layer.isDepthwise ? 1 : width
        width = outputs
        return LayerDescription(
            weights: .convolution(
                FoldedConvolution(
                    branches: [
                        FoldedConvolution.Branch(
                            weight: layer.convolution + ".weight",
                            norm: layer.norm
                        )
                    ],
                    shape: [outputs, inputs, layer.kernel, layer.kernel],
                    epsilon: epsilon
                )
            ),
            stride: layer.stride,
            isDepthwise: layer.isDepthwise,
            activation: layer.isActivated ? activation : "none",
            shortcut: layer.shortcut
        )
    }
}
