// SPDX-License-Identifier: Apache-2.0
public import OcellusFormat
public import OcellusMemory

/// Why a model file does not describe a model that can run.
public enum ModelError: Error {
    /// The file is damaged, or lacks a key or a tensor that its architecture needs.
    case file(ModelFileError)
    /// The file is valid, and describes something that this version does not run.
    case unsupported(path: String, what: String)
    /// Two numbers of one file, or of two files of one model, contradict each other.
    case mismatch(path: String, what: String, expected: Int, found: Int)
    /// The buffers of the model have an impossible size.
    case memory(MemoryError)

    /// The fact, then the remedy.
    public var description: String {
        switch self {
        case .file(let error):
            error.description
        case .unsupported(let path, let what):
            "\(path): \(what)"
        case .mismatch(let path, let what, let expected, let found):
            "\(path): \(what) is \(found), expected \(expected)"
        case .memory(let error):
            error.description
        }
    }
}

/// Runs a look-up in a model file and passes its error on as a `ModelError`.
func reading<Value: ~Copyable>(
    _ body: () throws(ModelFileError) -> Value
) throws(ModelError) -> Value {
    do {
        return try body()
    } catch {
        throw .file(error)
    }
}
