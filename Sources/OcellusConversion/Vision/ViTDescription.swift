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
    /// The shapes of the stem's convolutions, (outputs, inputs, k, k).
    private let stemShapes: [[Int]]

    /// Finds the tower in a checkpoint: its tensors may be a part of a larger model.
    ///
    /// - Throws: `ConversionError.missingTensor` if it is not there, `.wrongShape` for a stem whose
    ///   convolutions do not follow each other, `.unsupported` for sizes that do not fit together.
    init(
        _ sizes: ViTSizes,
        tower: Int,
        in checkpoint: Checkpoint,
        below part: String
    ) throws(ConversionError) {
        self.sizes = sizes
        self.tower = tower
        self.checkpoint = checkpoint
        prefix = try Self.prefix(of: sizes.names, in: checkpoint, below: part)
        stemShapes = try Self.stemShapes(sizes.names.stem, below: prefix, in: checkpoint)
        guard sizes.width % sizes.headCount == 0, sizes.pictures.side <= 4096 else {
            throw .unsupported(
                path: checkpoint.path,
                what: "width \(sizes.width) and \(sizes.headCount) heads, or pictures of "
                    + "\(sizes.pictures.side) pixels: heads must divide the width, and a side is at most 4096"
            )
        }
    }

    /// What the names of a tower begin with: found by the patches, or by what only towers have beside
    /// them, if those are what is missing.
    private static func prefix(
        of names: ViTNames,
        in checkpoint: Checkpoint,
        below part: String
    ) throws(ConversionError) -> String {
        for own in [names.patch + ".weight", names.patch + ".bias", names.classToken] {
            let found = checkpoint.tensors.keys.filter {
                $0 == part + own || $0.hasPrefix(part) && $0.hasSuffix("." + own)
            }
            if let name = found.min() { return String(name.dropLast(own.count)) }
        }
        throw checkpoint.missing(part + names.patch + ".weight")
    }

    private static func stemShapes(
        _ stem: [(convolution: String, norm: String)],
        below prefix: String,
        in checkpoint: Checkpoint
    ) throws(ConversionError) -> [[Int]] {
        var shapes: [[Int]] = []
        for layer in stem {
            let name = "\(prefix)\(layer.convolution).weight"
            guard let tensor = checkpoint[name] else { throw checkpoint.missing(name) }
            let (found, side) = (tensor.shape, tensor.shape.last ?? 0)
            let expected = [found.first ?? 0, shapes.last?[0] ?? 3, side, side]
            guard found == expected else {
                throw .wrongShape(
                    path: tensor.path,
                    tensor: tensor.name,
                    expected: expected,
                    found: found
                )
            }
            shapes.append(found)
        }
        return shapes
    }

    private var keptBlocks: Int {
        let layer = sizes.featureLayer
        return layer < 0 ? sizes.blockCount + 1 + layer : layer
    }
    /// How many pixels wide a cell of the stem's map is.
    private var stemStride: Int { stemShapes.map { $0[3] }.reduce(1, *) }
    private func grid(of side: Int) -> Int { side / (stemStride * sizes.patchSize) }

    /// Adds keys and tensors, and says which tensors of the tower are not needed.
    ///
    /// - Throws: `ConversionError.unsupported` for pictures that patches do not fit, `.wrongShape` and
    ///   `.missingTensor`.
    func add(to file: inout FileDescription) throws(ConversionError) {
        let (names, parts, d) = (sizes.names, sizes.parts, sizes.width)
        let ours = tower == 0 ? "v." : "v\(tower)."
        let side = min(sizes.pictures.side, sizes.positionSide)
        guard grid(of: side) > 0 else {
            throw .unsupported(
                path: checkpoint.path,
                what: "pictures of \(side) x \(side) pixels are smaller than a patch of "
                    + "\(stemStride * sizes.patchSize)"
            )
        }
        if !names.stem.isEmpty { try addStem(to: &file) }
        addKeys(to: &file)
        addPatches(to: &file, ours)
        func add(_ name: String, _ source: String, _ shape: [Int], as newShape: [Int]) {
            let (name, source) = (ours + name, prefix + source)
            file.add(TensorMapping(name, from: source, shape, as: newShape, storage: .exact))
        }
        if parts.hasPatchBias { add("patch_embd.bias", names.patch + ".bias", [d], as: [d]) }
        if parts.hasClassToken {
            add("class_embd", names.classToken, names.classShape + [d], as: [d])
        }
        if parts.registerCount > 0 {
            let shape = [parts.registerCount, d]
            add("register_embd", names.registers, [1] + shape, as: shape)
        }
        addPositions(to: &file, ours)
        if parts.hasPreNorm { addNorm(ours + "pre_ln", names.preNorm, to: &file) }
        if sizes.featureLayer == -1 { addNorm(ours + "post_ln", names.finalNorm, to: &file) }
        for block in 0..<keptBlocks {
            addBlock(block, ours, to: &file)
            // The plan tells what is missing; blocks beyond could be millions.
            if isMissing(block) { break }
        }
        requireLaterBlocks(in: &file)
        ignoreRest(of: &file)
        if sizes.isDepthMeasured {
            file.noteMeasured("\(sizes.blockCount) blocks")
        }
    }

    private func isMissing(_ block: Int) -> Bool {
        checkpoint["\(prefix)\(sizes.names.blocks)\(block).\(sizes.names.norm1).weight"] == nil
    }

    /// Requires the blocks behind the features: before which one these are taken depends on how many there are.
    private func requireLaterBlocks(in file: inout FileDescription) {
        for block in keptBlocks..<max(sizes.blockCount, keptBlocks) {
            var later = FileDescription(fileName: "", architecture: "")
            addBlock(block, "", to: &later)
            file.required += later.tensors.flatMap(\.sources)
            if isMissing(block) { break }
        }
    }

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
        let layers = zip(sizes.names.stem, stemShapes).map { layer, shape in
            let branch = FoldedConvolution.Branch(
                weight: "\(prefix)\(layer.convolution).weight",
                norm: prefix + layer.norm
            )
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
            let inputs = stemShapes.last?[0] ?? 3
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

    /// Positions of the grid that the tower was trained with, resampled to that of its pictures.
    private func addPositions(to file: inout FileDescription, _ ours: String) {
        let (d, names) = (sizes.width, sizes.names)
        let (trained, grid) = (grid(of: sizes.positionSide), grid(of: sizes.pictures.side))
        let first = sizes.parts.hasClassPosition ? 1 : 0
        let source = TensorMapping.Source(
            prefix + names.positions,
            names.positionShape + [first + trained * trained, d]
        )
        let content: TensorMapping.Content
        if trained == grid {
            content = .elements([source], change: { $0 })
        } else {
            let resample = BicubicResampling(
                from: trained,
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
        guard sizes.parts.hasLayerScale else { return }
        for (name, source) in [("ls1", names.scale1), ("ls2", names.scale2)] {
            file.add(TensorMapping("\(to)\(name).weight", from: prefix + from + source, [d]))
        }
    }

    /// What the features do not depend on: the last norm, heads.
    private func ignoreRest(of file: inout FileDescription) {
        let names = sizes.names
        var unused = names.unused
        if sizes.featureLayer != -1 { unused.append(names.finalNorm + ".") }
        for name in checkpoint.tensors.keys where name.hasPrefix(prefix) {
            let own = name.dropFirst(prefix.count)
            let isUnused = unused.contains { own.hasPrefix($0) }
            if isUnused || own.hasSuffix(".num_batches_tracked") { file.ignored.insert(name) }
        }
    }
}
