// SPDX-License-Identifier: Apache-2.0
internal import OcellusMemory

/// Why a model file could not be read, used or written.
public enum ModelFileError: Error {
    /// The system refuses to open, inspect or map the file.
    case cannotOpen(path: String, reason: String)
    /// The process has no room for a file of so many bytes.
    case outOfMemory(path: String, neededBytes: Int)
    /// The file has no bytes.
    case empty(path: String)
    /// Another thing is in the place of the file, as a download may leave it.
    case standIn(path: String, what: String)
    /// The file does not begin with "GGUF".
    case notAModelFile(path: String)
    /// The version of GGUF is not 2 or 3, or the file is for big-endian machines.
    case unsupportedVersion(path: String, version: UInt32)
    /// Something reaches past the end of the file.
    case truncated(path: String, what: String, offset: Int, needed: UInt64, available: Int)
    /// A field has a value that it must not have.
    case invalid(path: String, what: String, offset: Int)
    /// A key or a tensor is there twice.
    case duplicate(path: String, name: String, offset: Int)
    /// The file has no such key.
    case missingKey(path: String, key: String)
    /// The value of a key has a type, a range or a text that the caller cannot use.
    case unusableValue(path: String, key: String, expected: String, found: String, offset: Int)
    /// The file has no such tensor.
    case missingTensor(path: String, name: String)
    /// A tensor has another shape than the model needs; shapes in words.
    case wrongShape(path: String, name: String, needed: String, found: String)
    /// A tensor has a type that the kernels do not compute with.
    case unsupportedType(path: String, name: String, type: String)
    /// An element of a tensor that must be finite is infinite or not a number.
    case notFinite(path: String, name: String, index: Int)
    /// The system refuses to create, write, synchronise or rename the file.
    case cannotWrite(path: String, reason: String)
    /// The caller asked the writer for something that is no valid model file.
    case unwritable(path: String, what: String)

    /// The fact, then the remedy where there is one.
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "\(path): cannot be opened: \(reason)"
        case .outOfMemory(let path, let neededBytes):
            "\(path): there is no memory to map its \(neededBytes) bytes"
        case .empty(let path):
            "\(path): the file is empty"
        case .standIn(let path, let what):
            "\(path): \(what)"
        case .notAModelFile(let path):
            "\(path): not a GGUF file; it does not begin with the letters GGUF"
        case .unsupportedVersion(let path, let version):
            if version == 1 {
                "\(path): GGUF version 1 at byte 4; convert the file to version 3"
            } else if version.byteSwapped < 256 && version != 0 {
                "\(path): the file is big-endian (version field at byte 4); convert it to "
                    + "little-endian"
            } else {
                "\(path): GGUF version \(version) at byte 4; versions 2 and 3 can be read"
            }
        case .truncated(let path, let what, let offset, let needed, let available):
            "\(path): \(what) at byte \(offset) needs \(needed) bytes, \(available) are left; "
                + "the file is cut short or damaged"
        case .invalid(let path, let what, let offset):
            "\(path): \(what) at byte \(offset)"
        case .duplicate(let path, let name, let offset):
            "\(path): '\(name)' is there a second time at byte \(offset)"
        case .missingKey(let path, let key):
            "\(path): the key '\(key)' is missing"
        case .unusableValue(let path, let key, let expected, let found, let offset):
            "\(path): '\(key)' should be \(expected), is \(found) at byte \(offset)"
        case .missingTensor(let path, let name):
            "\(path): the tensor '\(name)' is missing"
        case .wrongShape(let path, let name, let needed, let found):
            "\(path): the tensor '\(name)' should be \(needed), is \(found)"
        case .unsupportedType(let path, let name, let type):
            "\(path): the tensor '\(name)' has type \(type); \(WeightType.list) can be "
                + "computed with"
        case .notFinite(let path, let name, let index):
            "\(path): the tensor '\(name)' holds an infinity or a NaN at element \(index); the "
                + "file is damaged"
        case .cannotWrite(let path, let reason):
            "\(path): cannot be written: \(reason)"
        case .unwritable(let path, let what):
            "\(path): \(what)"
        }
    }
}
