// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// A GGUF file to be written: its keys, and what each of its tensors is made of.
///
/// What knows a kind of model (`MambaDescription`, ...) makes one from a configuration; `ConversionPlan`
/// checks it against the checkpoint.
public struct FileDescription {
    /// The file's name in the folder of the model: "decoder.gguf" or "vision.gguf".
    public let fileName: String
    /// The value of "general.architecture".
    public let architecture: String
    /// The keys in their order, without those of `general.*` that the plan adds.
    public var metadata: [(key: String, value: MetadataValue)] = []
    /// The tensors in their order.
    public var tensors: [TensorMapping] = []
    /// Tensors of the checkpoint that the file does not need, on purpose.
    public var ignored: Set<String> = []
    /// Tensors of the checkpoint that the file does not need, but that must be there: without them it is
    /// another model.
    public var required: [TensorMapping.Source] = []
    /// What was assumed where nothing states it, each in one sentence for whoever converts.
    public var notes: [String] = []

    /// A file without keys and tensors.
    public init(fileName: String, architecture: String) {
        self.fileName = fileName
        self.architecture = architecture
    }

    /// Adds a key.
    public mutating func add(_ key: String, _ value: MetadataValue) {
        metadata.append((key, value))
    }

    /// Notes a count that only the checkpoint tells: a block that it has lost would not be missed.
    mutating func noteMeasured(_ count: String) {
        notes.append("\(count), as many as the checkpoint has: nothing states how many there are")
    }

    /// Adds a tensor.
    public mutating func add(_ tensor: TensorMapping) {
        tensors.append(tensor)
    }
}
