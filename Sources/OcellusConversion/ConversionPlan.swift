// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusMemory
import OcellusQuantization

/// A description checked against its checkpoint: every tensor with its type and its size.
public struct ConversionPlan {
    /// What happens for one tensor of the file.
    public struct Step {
        /// The tensor and what it is made of.
        public let mapping: TensorMapping
        /// The tensors of the checkpoint, in the order of `mapping.sources`.
        public let sources: [SourceTensor]
        /// The type in the file.
        public let type: WeightType
        /// Why the type is not the one that was asked for, or nil.
        public let reason: String?

        /// The shape in the file, the first dimension varies fastest.
        public var shape: [Int] { mapping.shape.reversed() }
        /// The count of elements of a row.
        var columns: Int { mapping.shape.last ?? 1 }
        /// The count of rows.
        var rows: Int { mapping.shape.dropLast().reduce(1, *) }
        /// The size in the file in bytes.
        public var byteCount: Int {
            columns / type.blockElementCount * type.blockByteCount * rows
        }
    }

    /// The file to be written.
    public let description: FileDescription
    /// The type that was asked for, or nil for that of the checkpoint.
    public let type: WeightType?
    /// One step per tensor, in the order of the file.
    public let steps: [Step]

    /// Checks a description against its checkpoint.
    ///
    /// - Parameters:
    ///   - description: The file to be written.
    ///   - checkpoint: The tensors.
    ///   - type: The type of matrices, or nil for the type that each has in the checkpoint.
    /// - Throws: `ConversionError.missingTensor`, `.wrongShape`, `.wrongType` and `.unexpectedTensor`.
    public init(
        _ description: FileDescription,
        of checkpoint: Checkpoint,
        type: WeightType? = nil
    ) throws(ConversionError) {
        var steps: [Step] = []
        var unused = Set(checkpoint.tensors.keys).subtracting(description.ignored)
        for mapping in description.tensors {
            var sources: [SourceTensor] = []
            for source in mapping.sources {
                sources.append(try Self.find(source, in: checkpoint))
                unused.remove(source.name)
            }
            steps.append(Self.step(for: mapping, from: sources, type: type))
        }
        for source in description.required {
            _ = try Self.find(source, in: checkpoint)
            unused.remove(source.name)
        }
        // In the order of the names, so that the message does not change from run to run.
        if let name = unused.min(), let tensor = checkpoint[name] {
            throw .unexpectedTensor(path: tensor.path, tensor: tensor.name, found: tensor.shape)
        }
        self.description = description
        self.type = type
        self.steps = steps
    }

    /// The size of all tensors in the file, without the header.
    public var byteCount: Int { steps.map(\.byteCount).reduce(0, +) }

    /// The header of the file.
    public var header: ModelHeader {
        var header = ModelHeader(architecture: description.architecture)
        for (key, value) in description.metadata { header.add(key, value) }
        let matrixTypes = steps.filter { $0.mapping.storage == .matrix }.map(\.type)
        let type = type ?? matrixTypes.first ?? .f32
        header.add("general.file_type", .uint32(type.fileType))
        header.add("general.quantization_version", .uint32(2))
        for step in steps {
            header.addTensor(step.mapping.name, type: TensorType(step.type), shape: step.shape)
        }
        return header
    }

    private static func find(
        _ source: TensorMapping.Source,
        in checkpoint: Checkpoint
    ) throws(ConversionError) -> SourceTensor {
        guard let tensor = checkpoint[source.name] else {
            throw checkpoint.missing(source.name, source.shape)
        }
        guard tensor.shape == source.shape else {
            throw .wrongShape(
                path: tensor.path,
                tensor: tensor.name,
                expected: source.shape,
                found: tensor.shape
            )
        }
        guard tensor.type.isFloatingPoint else {
            throw .wrongType(path: tensor.path, tensor: tensor.name, found: tensor.type.rawValue)
        }
        return tensor
    }

    private static func step(
        for mapping: TensorMapping,
        from sources: [SourceTensor],
        type: WeightType?
    ) -> Step {
        // What is computed has no type of its own.
        let own = mapping.isComputed ? .f32 : sources.first?.type.weightType ?? .f32
        let wanted = type ?? own
        var fitting = FittingType(wanted, columns: mapping.shape.last ?? 1, original: own)
        switch mapping.storage {
        case .matrix:
            break
        case .convolution where wanted.blockElementCount > 1:
            fitting = FittingType(.f16, reason: "a convolution")
        case .exact where wanted != .f32:
            fitting = FittingType(.f32, reason: mapping.shape.count > 1 ? "exact" : "a vector")
        case .convolution, .exact:
            fitting = FittingType(wanted)
        }
        return Step(mapping: mapping, sources: sources, type: fitting.type, reason: fitting.reason)
    }
}

extension ElementType {
    /// The type in a GGUF file that holds it without loss, F64 excepted; nil if there is none.
    var weightType: WeightType? {
        switch self {
        case .f64, .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .i64, .i32, .i16, .i8, .u8, .bool: nil
        }
    }
}
