// SPDX-License-Identifier: Apache-2.0

/// One tensor of a model file: what it is and where its bytes lie.
public struct TensorInfo: Sendable {
    /// The name, for example "blk.0.ssm_in.weight".
    public let name: String
    /// The type of the elements.
    public let type: TensorType
    /// The dimensions in GGUF's order: the first varies fastest (a PyTorch shape reversed).
    public let shape: [Int]
    /// Where the bytes begin in the file.
    public let offset: Int
    /// The count of bytes.
    public let byteCount: Int

    /// The count of elements.
    public var elementCount: Int { shape.reduce(1, *) }

    /// The shape in words: "(768, 50280)".
    public var shapeDescription: String { describeShape(shape) }
}

/// A shape in words; Embedded Swift cannot print arrays.
func describeShape(_ shape: [Int]) -> String {
    var text = "("
    for (index, dimension) in shape.enumerated() {
        text += index == 0 ? "\(dimension)" : ", \(dimension)"
    }
    return text + ")"
}
