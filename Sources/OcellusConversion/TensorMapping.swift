// SPDX-License-Identifier: Apache-2.0

/// One tensor of a file to be written, and what of the checkpoint it is made of.
///
///     TensorMapping("blk.0.ssm_in.weight", from: "backbone.layers.0.mixer.in_proj.weight", [2 * e, d])
///
/// Shapes are PyTorch's, the slowest dimension first; the file stores them reversed, with the same
/// order of elements.
public struct TensorMapping {
    /// How exact the elements must be in the file.
    public enum Storage: Sendable {
        /// A matrix that activations are multiplied with: the type that was asked for.
        case matrix
        /// A convolution: never in blocks; F16 unless a wider type was asked for.
        case convolution
        /// A norm, a bias, a parameter of the recurrence: F32.
        case exact
    }

    /// A tensor of the checkpoint and the shape that it must have.
    public struct Source: Sendable {
        /// The name in the checkpoint.
        public let name: String
        /// The shape as PyTorch writes it.
        public let shape: [Int]
        /// Whether no element may be negative.
        public let isVariance: Bool

        /// A tensor that must be there.
        public init(_ name: String, _ shape: [Int], isVariance: Bool = false) {
            self.name = name
            self.shape = shape
            self.isVariance = isVariance
        }
    }

    /// How the elements come about.
    public enum Content {
        /// The elements of the tensors one after another, each changed alone.
        case elements([Source], change: (Float) -> Float)
        /// Some elements of one tensor, in their order.
        case slice(Source, Range<Int>)
        /// Computed from whole tensors, which are in memory at once: for what is small.
        case computed([Source], ([[Float]]) -> [Float])
    }

    /// The name in the file.
    public let name: String
    /// The shape in the file, the slowest dimension first.
    public let shape: [Int]
    /// How exact the elements must be.
    public let storage: Storage
    /// How the elements come about.
    public let content: Content

    /// A tensor of any content.
    public init(_ name: String, shape: [Int], storage: Storage, content: Content) {
        self.name = name
        self.shape = shape
        self.storage = storage
        self.content = content
    }

    /// A tensor with the elements of another one.
    ///
    /// - Parameters:
    ///   - name: The name in the file.
    ///   - source: The name in the checkpoint.
    ///   - shape: The shape in the checkpoint.
    ///   - newShape: The shape in the file if it is another one.
    ///   - storage: By default a matrix if there are two dimensions or more, else exact.
    public init(
        _ name: String,
        from source: String,
        _ shape: [Int],
        as newShape: [Int]? = nil,
        storage: Storage? = nil
    ) {
        self.init(
            name,
            shape: newShape ?? shape,
            storage: storage ?? (shape.count > 1 ? .matrix : .exact),
            content: .elements([Source(source, shape)], change: { $0 })
        )
    }

    /// Whether its elements are in no tensor of the checkpoint.
    var isComputed: Bool {
        if case .computed = content { true } else { false }
    }

    /// The tensors of the checkpoint that it needs.
    public var sources: [Source] {
        switch content {
        case .elements(let sources, _), .computed(let sources, _): sources
        case .slice(let source, _): [source]
        }
    }
}
