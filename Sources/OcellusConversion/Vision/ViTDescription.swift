// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// The part of a vision file that is one vision transformer: keys and tensors under llama.cpp's names, or
/// under ours for the second of two.
///
/// Blocks behind the features, and the last norm if the features do not pass it, are left out.
struct ViTDescription {
    let sizes: ViTSizes
    /// 0 for the first of a file, 1 for the second.
    let tower: Int
    let checkpoint: Checkpoint
    /// What the names of its tensors begin with in the checkpoint.
    let prefix: String

    /// Finds the tower in a checkpoint: its tensors may be a part of a larger model.
    ///
    /// - Throws: `ConversionError.missingTensor` if it is not there, `.unsupported` for sizes that do not fit
    ///   together.
    init(
        _ sizes: ViTSizes,
        tower: Int,
        in checkpoint: Checkpoint,
        below part: String
    ) throws(ConversionError) {
        self.sizes = sizes
        self.tower = tower
        self.checkpoint = checkpoint
        let patch = sizes.names.patch + ".weight"
        let found = checkpoint.tensors.keys.filter { $0.hasPrefix(part) && $0.hasSuffix(patch) }
        guard let name = found.min() else {
            throw .missingTensor(path: checkpoint.path, tensor: part + patch, expected: [])
        }
        prefix = String(name.dropLast(patch.count))
        guard sizes.width % sizes.headCount == 0, sizes.pictures.side <= 4096 else {
            throw .unsupported(
                path: checkpoint.path,
                what: "width \(sizes.width) and \(sizes.headCount) heads, or pictures of "
                    + "\(sizes.pictures.side) pixels: heads must divide the width, and a side is at most 4096"
            )
        }
    }

    private var keptBlocks: Int {
        let layer = sizes.featureLayer
        return layer < 0 ? sizes.blockCount + 1 + layer : layer
    }
    /// How many pixels wide a cell of the stem's map is.
    private var stemStride: Int { sizes.names.stem.map { stemShape($0)[3] }.reduce(1, *) }
    private var grid: Int { sizes.pictures.side / (stemStride * sizes.patchSize) }

    /// Adds keys and tensors, and says which tensors of the tower are not needed.
    ///
    /// - Throws: `ConversionError.unsupported` for a count of positions that is no square, and for
    ///   pictures that patches do not fit.
    func add(to file: inout FileDescription) throws(ConversionError) {
        let (names, d) = (sizes.names, sizes.width)
        let ours = tower == 0 ? "v." : "v\(tower)."
        guard grid > 0 else {
            let side = sizes.pictures.side
            throw .unsupported(
                path: checkpoint.path,
                what: "pictures of \(side) x \(side) pixels are smaller than a patch of "
                    + "\(stemStride * sizes.patchSize)"
            )
        }
        if !names.stem.isEmpty { try addStem(to: &file) }
        addKeys(to: &file)
        addPatches(to: &file, ours)
        if has(names.patch + ".bias") {
            file.add(
                TensorMapping(ours + "patch_embd.bias", from: prefix + names.patch + ".bias", [d])
            )
        }
        let prefixTokens = [("class_embd", names.classToken), ("register_embd", names.registers)]
        for (name, source) in prefixTokens where has(source) {
            let shape = checkpoint[prefix + source]?.shape ?? []
            let rows = shape.reduce(1, *) / d
            file.add(
                TensorMapping(
                    ours + name,
                    from: prefix + source,
                    shape,
                    as: rows == 1 && name == "class_embd" ? [d] : [rows, d],
                    storage: .exact
                )
            )
        }
        try addPositions(to: &file, ours)
        if has(names.preNorm + ".weight") { addNorm(ours + "pre_ln", names.preNorm, to: &file) }
        if sizes.featureLayer == -1 { addNorm(ours + "post_ln", names.finalNorm, to: &file) }
        for block in 0..<keptBlocks {
            addBlock(block, ours, to: &file)
            // The plan tells what is missing; blocks beyond could be millions.
            if !has("\(names.blocks)\(block).\(names.norm1).weight") { break }
        }
        ignoreRest(of: &file)
    }

    private func has(_ name: String) -> Bool { !name.isEmpty && checkpoint[prefix + name] != nil }

    private func addKeys(to file: inout FileDescription) {
        let keys = tower == 0 ? "clip.vision." : "ocellus.vision.\(tower)."
        let own = tower == 0 ? "ocellus.vision." : keys
        for (key, value) in [
            ("patch_size", stemStride * sizes.patchSize), ("embedding_length", sizes.width),
            ("feed_forward_length", sizes.hidden),
            ("block_count", keptBlocks), ("attention.head_count", sizes.headCount),
        ] { file.add(keys + key, .uint32(UInt32(value))) }
        file.add(keys + "attention.layer_norm_epsilon", .float32(sizes.epsilon))
        sizes.pictures.addSize(keys, to: &file)
        file.add(own + "encoder", .string(sizes.names.stem.isEmpty ? "vit" : "cnn-vit"))
        file.add(own + "activation", .string(sizes.activation))
    }

    /// The shape of a stem's convolution, (outputs, inputs, k, k).
    private func stemShape(_ layer: (convolution: String, norm: String)) -> [Int] {
        let shape = checkpoint["\(prefix)\(layer.convolution).weight"]?.shape ?? []
        return shape.count == 4 && shape.allSatisfy { $0 > 0 } ? shape : [1, 1, 1, 1]
    }

    /// Convolutions side by side need no padding if they fill the picture.
    private func addStem(to file: inout FileDescription) throws(ConversionError) {
        let side = sizes.pictures.side
        guard side % (stemStride * sizes.patchSize) == 0 else {
            throw .unsupported(
                path: checkpoint.path,
                what: "pictures of \(side) x \(side) pixels are not whole patches of "
                    + "\(stemStride * sizes.patchSize)"
            )
        }
        let layers = sizes.names.stem.map { layer in
            let branch = FoldedConvolution.Branch(
                weight: "\(prefix)\(layer.convolution).weight",
                norm: prefix + layer.norm
            )
            let shape = stemShape(layer)
            return LayerDescription(
                weights: .convolution(
                    FoldedConvolution(branches: [branch], shape: shape, epsilon: 1e-5)
                ),
                stride: shape[3],
                activation: "gelu_erf"
            )
        }
        try LayerDescription.add(layers, padding: "tensorflow", of: checkpoint, to: &file)
    }

    private func addPatches(to file: inout FileDescription, _ ours: String) {
        let (d, p) = (sizes.width, sizes.patchSize)
        let source = prefix + sizes.names.patch + ".weight"
        let name = ours + "patch_embd.weight"
        guard sizes.hasLinearPatches else {
            let inputs = sizes.names.stem.last.map { stemShape($0)[0] } ?? 3
            file.add(TensorMapping(name, from: source, [d, inputs, p, p], storage: .convolution))
            return
        }
        let area = p * p
        file.add(
            TensorMapping(
                name,
                shape: [d, 3, p, p],
                storage: .convolution,
                content: .computed([TensorMapping.Source(source, [d, area * 3])]) { values in
                    (0..<d * 3 * area).map { index in
                        let (row, channel) = (index / (3 * area), index / area % 3)
                        return values[0][(row * area + index % area) * 3 + channel]
                    }
                }
            )
        )
    }

    private func addPositions(
        to file: inout FileDescription,
        _ ours: String
    ) throws(ConversionError) {
        let name = prefix + sizes.names.positions
        guard let tensor = checkpoint[name] else {
            throw .missingTensor(path: checkpoint.path, tensor: name, expected: [])
        }
        let (d, rows) = (sizes.width, tensor.elementCount / sizes.width)
        let root = Int(Double(rows).squareRoot())
        let first = root * root == rows ? 0 : 1
        guard root * root + first == rows, tensor.elementCount == rows * d else {
            throw .unsupported(
                path: tensor.path,
                what:
                    "the \(rows) positions of '\(name)' are no square, with a class token or without"
            )
        }
        let source = TensorMapping.Source(name, tensor.shape)
        let content: TensorMapping.Content
        if root == grid {
            content = .elements([source], change: { $0 })
        } else {
            let resample = BicubicResampling(
                from: root,
                to: grid,
                antialias: sizes.resamplesWithAntialias
            )
            content = .computed([source]) { values in
                values[0].prefix(first * d) + resample(values[0].dropFirst(first * d), width: d)
            }
        }
        file.add(
            TensorMapping(
                ours + "position_embd.weight",
                shape: [first + grid * grid, d],
                storage: .exact,
                content: content
            )
        )
    }

    private func addNorm(_ name: String, _ source: String, to file: inout FileDescription) {
        for part in [".weight", ".bias"] {
            file.add(TensorMapping(name + part, from: prefix + source + part, [sizes.width]))
        }
    }

    private func addBlock(_ block: Int, _ ours: String, to file: inout FileDescription) {
        let (names, d) = (sizes.names, sizes.width)
        let (from, to) = ("\(names.blocks)\(block).", "\(ours)blk.\(block).")
        func linear(_ name: String, _ source: String, _ outputs: Int, _ inputs: Int) {
            let source = prefix + from + source
            file.add(
                TensorMapping(to + name + ".weight", from: source + "weight", [outputs, inputs])
            )
            file.add(TensorMapping(to + name + ".bias", from: source + "bias", [outputs]))
        }
        addNorm(to + "ln1", from + names.norm1, to: &file)
        addNorm(to + "ln2", from + names.norm2, to: &file)
        if names.queryKeyValue.count == 1 {
            linear("attn_qkv", names.queryKeyValue[0], 3 * d, d)
        } else {
            for (name, source) in zip(["attn_q", "attn_k", "attn_v"], names.queryKeyValue) {
                linear(name, source, d, d)
            }
        }
        linear("attn_out", names.attentionOut + ".", d, d)
        linear("ffn_up", names.up + ".", sizes.hidden, d)
        linear("ffn_down", names.down + ".", d, sizes.hidden)
        for (name, source) in [("ls1", names.scale1), ("ls2", names.scale2)]
        where has(from + source) {
            file.add(TensorMapping("\(to)\(name).weight", from: prefix + from + source, [d]))
        }
    }

    /// What the features do not depend on: later blocks, the last norm, heads.
    private func ignoreRest(of file: inout FileDescription) {
        let names = sizes.names
        var unused = names.unused
        if sizes.featureLayer != -1 { unused.append(names.finalNorm + ".") }
        let laterBlocks = keptBlocks..<max(sizes.blockCount, keptBlocks)
        for name in checkpoint.tensors.keys where name.hasPrefix(prefix) {
            let own = name.dropFirst(prefix.count)
            let block = Int(own.dropFirst(names.blocks.count).prefix { $0 != "." })
            let isUnused =
                own.hasPrefix(names.blocks) && block.map(laterBlocks.contains) ?? false
                || unused.contains { own.hasPrefix($0) }
            if isUnused || own.hasSuffix(".num_batches_tracked") { file.ignored.insert(name) }
        }
    }
}
