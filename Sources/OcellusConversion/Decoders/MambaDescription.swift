// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat

/// The decoder file of a Mamba checkpoint: llama.cpp's keys, names and layouts.
///
/// The original layout and Hugging Face's differ in one name, that of the embedding.
///
/// - Source: gguf-py's constants.py and tensor_mapping.py; llama.cpp's src/models/mamba{,2}.cpp.
enum MambaDescription {
    /// Describes the file, without a tokenizer.
    ///
    /// - Throws: `ConversionError.missingTensor` and `.wrongShape` for the embedding, `.unsupported` for
    ///   a matrix of logits beside one that is said to be the same.
    static func file(
        _ sizes: DecoderSizes,
        of checkpoint: Checkpoint
    ) throws(ConversionError) -> FileDescription {
        var file = FileDescription(fileName: "decoder.gguf", architecture: sizes.architecture)
        addKeys(of: sizes, to: &file)
        let embedding = try embedding(of: checkpoint, sizes)
        let shape = embedding.shape
        file.add(TensorMapping("token_embd.weight", from: embedding.name, shape))
        file.add(
            TensorMapping("output_norm.weight", from: "backbone.norm_f.weight", [sizes.dModel])
        )
        try addHead(of: checkpoint, sizes, besides: embedding.name, shape, to: &file)
        for layer in 0..<sizes.layerCount {
            addLayer(layer, of: sizes, to: &file)
            // The plan tells what is missing; layers beyond could be millions.
            if checkpoint["backbone.layers.\(layer).norm.weight"] == nil { break }
        }
        return file
    }

    /// Adds the matrix of the logits, unless it is the embedding: left out, or stored a second time.
    private static func addHead(
        of checkpoint: Checkpoint,
        _ sizes: DecoderSizes,
        besides embedding: String,
        _ shape: [Int],
        to file: inout FileDescription
    ) throws(ConversionError) {
        let name = "lm_head.weight"
        guard let head = checkpoint[name] else {
            if sizes.isTied ?? true { return }
            throw checkpoint.missing(name, shape)
        }
        if let tensor = checkpoint[embedding], head.hasBytes(of: tensor) {
            file.ignored.insert(name)
            return
        }
        guard sizes.isTied != true || head.shape != shape else {
            throw .unsupported(
                path: head.path,
                what:
                    "the tensor '\(head.name)' is not '\(embedding)', which the configuration says"
            )
        }
        file.add(TensorMapping("output.weight", from: name, shape))
    }

    /// The embedding under either of its names, (vocabulary, dModel).
    private static func embedding(
        of checkpoint: Checkpoint,
        _ sizes: DecoderSizes
    ) throws(ConversionError) -> (name: String, shape: [Int]) {
        let names = [
            sizes.embeddingName, "backbone.embedding.weight", "backbone.embeddings.weight",
        ]
        let name = names.first { checkpoint[$0] != nil } ?? sizes.embeddingName
        guard let tensor = checkpoint[name] else {
            throw checkpoint.missing(name, sizes.rowCount.map { [$0, sizes.dModel] } ?? [])
        }
        let expected = [sizes.rowCount ?? tensor.shape.first ?? 0, sizes.dModel]
        guard tensor.shape == expected else {
            throw .wrongShape(
                path: tensor.path,
                tensor: tensor.name,
                expected: expected,
                found: tensor.shape
            )
        }
        return (name, tensor.shape)
    }

    private static func addKeys(of sizes: DecoderSizes, to file: inout FileDescription) {
        let prefix = sizes.architecture
        func add(_ key: String, _ value: Int) {
            file.add("\(prefix).\(key)", .uint32(UInt32(value)))
        }
        add("context_length", 1 << 20)  // a placeholder: the recurrence has no limit
        add("embedding_length", sizes.dModel)
        add("feed_forward_length", 0)
        add("attention.head_count", 0)
        add("block_count", sizes.layerCount)
        add("ssm.conv_kernel", sizes.dConv)
        add("ssm.inner_size", sizes.dInner)
        add("ssm.state_size", sizes.dState)
        file.add("\(prefix).attention.layer_norm_rms_epsilon", .float32(sizes.epsilon))
        switch sizes.family {
        case .mamba1(let dtRank, let normEpsilon):
            add("ssm.time_step_rank", dtRank)
            file.add("mamba.ssm.dt_b_c_rms", .bool(normEpsilon != nil))
            if let normEpsilon {
                file.add("ocellus.mamba.dt_b_c_rms_epsilon", .float32(normEpsilon))
            }
        case .mamba2(let headCount, let groupCount):
            add("ssm.time_step_rank", headCount)
            add("ssm.group_count", groupCount)
        }
    }

    private static func addLayer(
        _ layer: Int,
        of sizes: DecoderSizes,
        to file: inout FileDescription
    ) {
        let (d, e, n) = (sizes.dModel, sizes.dInner, sizes.dState)
        let (from, to) = ("backbone.layers.\(layer).mixer.", "blk.\(layer).")
        func add(
            _ name: String,
            _ source: String,
            _ shape: [Int],
            as newShape: [Int]? = nil,
            storage: TensorMapping.Storage? = nil
        ) {
            file.add(
                TensorMapping(to + name, from: from + source, shape, as: newShape, storage: storage)
            )
        }
        func addConvolution(_ channels: Int) {
            let k = sizes.dConv
            add(
                "ssm_conv1d.weight",
                "conv1d.weight",
                [channels, 1, k],
                as: [channels, k],
                storage: .exact
            )
            if sizes.hasConvolutionBias {
                add("ssm_conv1d.bias", "conv1d.bias", [channels])
            } else {
                file.add(
                    TensorMapping(
                        to + "ssm_conv1d.bias",
                        shape: [channels],
                        storage: .exact,
                        content: .computed([]) { _ in [Float](repeating: 0, count: channels) }
                    )
                )
            }
        }
        /// A = -exp(A_log): the file holds A itself.
        func addA(_ shape: [Int], as newShape: [Int]) {
            file.add(
                TensorMapping(
                    to + "ssm_a",
                    shape: newShape,
                    storage: .exact,
                    content: .elements([.init(from + "A_log", shape)], change: { -exp($0) })
                )
            )
        }
        file.add(
            TensorMapping(
                to + "attn_norm.weight",
                from: "backbone.layers.\(layer).norm.weight",
                [d]
            )
        )
        switch sizes.family {
        case .mamba1(let r, _):
            add("ssm_in.weight", "in_proj.weight", [2 * e, d])
            addConvolution(e)
            add("ssm_x.weight", "x_proj.weight", [r + 2 * n, e])
            add("ssm_dt.weight", "dt_proj.weight", [e, r])
            add("ssm_dt.bias", "dt_proj.bias", [e])
            addA([e, n], as: [e, n])
            add("ssm_d", "D", [e])
        case .mamba2(let h, let g):
            add("ssm_in.weight", "in_proj.weight", [2 * e + 2 * g * n + h, d])
            addConvolution(e + 2 * g * n)
            add("ssm_dt.bias", "dt_bias", [h])
            addA([h], as: [h, 1])
            add("ssm_d", "D", [h], as: [h, 1])
            add("ssm_norm.weight", "norm.weight", [e], as: [g, e / g])
        }
        add("ssm_out.weight", "out_proj.weight", [d, e])
    }
}

extension DecoderSizes {
    /// The value of "general.architecture".
    var architecture: String {
        switch family {
        case .mamba1: "mamba"
        case .mamba2: "mamba2"
        }
    }
}
