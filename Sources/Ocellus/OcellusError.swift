// SPDX-License-Identifier: Apache-2.0
public import OcellusImage
public import OcellusMemory
public import OcellusModels
public import OcellusTokenizer

/// What can go wrong between a caller and a session.
public enum OcellusError: Error {
    /// The model's files are missing, damaged, or of a kind that this version does not run.
    case model(ModelError)
    /// The model's vocabulary is not usable.
    case tokenizer(path: String, TokenizerError)
    /// The two files of a model do not belong together.
    case mixedFiles(decoder: String, vision: String, what: String)
    /// The arena could not be planned or allocated.
    case memory(MemoryError)
    /// A picture cannot be used.
    case image(ImageError)
    /// The model has no vision file, so it cannot look at pictures.
    case noVision(path: String)
    /// There is nothing to answer: the text is empty.
    case emptyPrompt
    /// A choice is empty, or two are equal, or there are none.
    case badChoices
    /// A saved state is damaged, or of another model or version.
    case state(path: String, StateFault)

    /// The fact, then the remedy.
    public var description: String {
        switch self {
        case .model(let error): error.description
        case .tokenizer(let path, let error): "\(path): \(error.description)"
        case .mixedFiles(let decoder, let vision, let what):
            "\(decoder) and \(vision) are not of one model: \(what)"
        case .memory(let error): error.description
        case .image(let error): error.description
        case .noVision(let path):
            "\(path) has no vision.gguf, so it cannot look at pictures; ask without one"
        case .emptyPrompt: "the question is empty"
        case .badChoices: "choices must be there, not empty, and different"
        case .state(let path, let fault): "\(path): \(fault.description)"
        }
    }
}
