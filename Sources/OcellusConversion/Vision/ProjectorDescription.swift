// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// The projector of a published system: tensors renamed, with the shapes that they have there.
///
/// Depthwise filters lose their dimension of size 1, pointwise convolutions become matrices.
struct ProjectorDescription {
    /// The value of "clip.projector_type".
    let kind: String
    /// The matrix that reads the features, in the checkpoint.
    let first: String
    /// Beginnings of names in the checkpoint, and what replaces them; the first that fits counts.
    let names: [(from: String, to: String)]

    /// No projector: the features are the tokens.
    static let none = ProjectorDescription(kind: "none", first: "", names: [])

    /// Adds keys and tensors, for features `width` wide.
    ///
    /// - Throws: `ConversionError.missingTensor` if the checkpoint has no such projector, `.wrongShape` if
    ///   it is for other features.
    func add(
        to file: inout FileDescription,
        of checkpoint: Checkpoint,
        width: Int
    ) throws(ConversionError) {
        file.add("clip.has_vision_encoder", .bool(true))
        file.add("clip.has_llava_projector", .bool(kind != "none"))
        file.add("clip.projector_type", .string(kind))
        guard kind != "none" else { return }
        guard let matrix = checkpoint[first] else {
            throw .missingTensor(path: checkpoint.path, tensor: first, expected: [])
        }
        guard matrix.shape.count == 2, matrix.shape[1] == width else {
            throw .wrongShape(
                path: matrix.path,
                tensor: matrix.name,
                expected: [matrix.shape.first ?? 0, width],
                found: matrix.shape
            )
        }
        for name in checkpoint.tensors.keys.sorted() {
            guard let rule = names.first(where: { name.hasPrefix($0.from) }),
                let tensor = checkpoint[name]
            else { continue }
            let shape = tensor.shape
            let isFilter = shape.count == 4 && shape[1] == 1 && shape[3] > 1
            file.add(
                TensorMapping(
                    rule.to + name.dropFirst(rule.from.count),
                    from: name,
                    shape,
                    as: shape.count == 4
                        ? [shape[0]] + (isFilter ? shape[2...] : [shape[1]]) : shape,
                    storage: isFilter ? .convolution : nil
                )
            )
        }
    }
}
