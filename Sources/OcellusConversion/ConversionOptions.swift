// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// What a conversion is told beside the model.
public struct ConversionOptions {
    /// The type of matrices, or nil for that of the checkpoint.
    public var type: WeightType?
    /// A folder with the tokenizer's files, or one of them; nil for the model's own folder.
    public var tokenizer: String?
    /// Checkpoints of vision encoders, where they are published apart.
    public var vision: [String] = []
    /// The text around a question with "{}" in its place, "" for none; nil for what the tokenizer's
    /// files describe.
    public var prompt: String?
    /// The model's name, or nil for that of its folder.
    public var name: String?
    /// The licence, or nil for what the model's README says.
    public var license: String?
    /// Where the model was downloaded.
    public var origin: String?

    /// No wishes.
    public init() {}
}
