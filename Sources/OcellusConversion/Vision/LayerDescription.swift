// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// One layer of a convolutional network in a vision file: `ConvolutionalLayer`, before it is written.
struct LayerDescription {
    /// What its weight and bias are made of.
    enum Weights {
        case convolution(FoldedConvolution)
        /// Queries, keys and values of attention, behind a batch norm or a layer norm.
        case attention(NormedProjection, headCount: Int)
    }

    let weights: Weights
    var stride = 1
    var isDepthwise = false
    /// "relu", "relu6", "gelu_erf" or "none".
    var activation = "none"
    /// The layer whose result is added, or -1.
    var shortcut = -1
    /// What the names of a squeeze-and-excitation's two layers begin with in the checkpoint.
    var excitation: [String]?

    /// The count of channels of the result.
    private var channels: Int {
        switch weights {
        case .convolution(let convolution): convolution.shape[0]
        case .attention(let projection, _): projection.shape[0]
        }
    }
    private var headCount: Int {
        if case .attention(_, let headCount) = weights { headCount } else { 0 }
    }

    /// Adds keys and tensors of a file whose network has no other layers.
    ///
    /// - Throws: `ConversionError.missingTensor` and `.wrongShape`.
    static func addNetwork(
        _ layers: [LayerDescription],
        padding: String,
        width: Int,
        of checkpoint: Checkpoint,
        to file: inout FileDescription
    ) throws(ConversionError) {
        file.add("clip.vision.embedding_length", .uint32(UInt32(width)))
        file.add("ocellus.vision.encoder", .string("cnn"))
        file.add("ocellus.vision.activation", .string("gelu_erf"))
        try add(layers, padding: padding, of: checkpoint, to: &file)
    }

    /// Adds keys and tensors of layers.
    ///
    /// - Throws: `ConversionError.missingTensor` and `.wrongShape`.
    static func add(
        _ layers: [LayerDescription],
        padding: String,
        of checkpoint: Checkpoint,
        to file: inout FileDescription
    ) throws(ConversionError) {
        let keys = "ocellus.vision.cnn."
        file.add(keys + "padding", .string(padding))
        file.add(keys + "stride", .uint32s(layers.map { UInt32($0.stride) }))
        file.add(keys + "depthwise", .bools(layers.map(\.isDepthwise)))
        file.add(keys + "activation", .strings(layers.map(\.activation)))
        file.add(keys + "shortcut", .int32s(layers.map { Int32($0.shortcut) }))
        if layers.contains(where: { $0.headCount > 0 }) {
            file.add(keys + "heads", .uint32s(layers.map { UInt32($0.headCount) }))
        }
        for (index, layer) in layers.enumerated() {
            let name = "v.cnn.\(index)"
            switch layer.weights {
            case .convolution(let convolution):
                convolution.add(as: name, of: checkpoint, to: &file)
            case .attention(let projection, _):
                projection.add(as: name, to: &file)
            }
            guard let excitation = layer.excitation else { continue }
            let bias = excitation[0] + "bias"
            guard let tensor = checkpoint[bias] else { throw checkpoint.missing(bias) }
            let (channels, squeezed) = (layer.channels, tensor.shape.first ?? 1)
            let shapes = [[squeezed, channels], [channels, squeezed]]
            for (index, source) in excitation.enumerated() {
                let (part, shape) = ("\(name).se.fc\(index + 1)", shapes[index])
                file.add(
                    TensorMapping(
                        part + ".weight",
                        from: source + "weight",
                        shape + [1, 1],
                        as: shape
                    )
                )
                file.add(TensorMapping(part + ".bias", from: source + "bias", [shape[0]]))
            }
        }
    }
}
