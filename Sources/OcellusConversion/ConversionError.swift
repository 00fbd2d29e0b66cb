// SPDX-License-Identifier: Apache-2.0

/// Why a model cannot be converted.
///
/// Each case names the file; those about a tensor say what was expected and what was found.
public enum ConversionError: Error, CustomStringConvertible {
    /// There is no such file, or none of the files that a model would have.
    case missingFile(path: String, what: String)
    /// Something reaches past the end of the file.
    case truncated(path: String, what: String, offset: Int, needed: Int, available: Int)
    /// A field of the file contradicts its format, or all of it does.
    case damaged(path: String, what: String, offset: Int? = nil)
    /// The file is sound but of a kind that is not converted.
    case unsupported(path: String, what: String)
    /// An option was given that this model has no use for.
    case unusedOption(path: String, option: String, why: String)
    /// A key of a configuration is missing.
    case missingKey(path: String, key: String)
    /// A key of a configuration has a value that the model cannot have.
    case badValue(path: String, key: String, expected: String, found: String)
    /// The checkpoint lacks a tensor; the shape as PyTorch writes it, empty if it is not known.
    case missingTensor(path: String, tensor: String, expected: [Int])
    /// A tensor has another shape than the configuration says.
    case wrongShape(path: String, tensor: String, expected: [Int], found: [Int])
    /// A tensor does not hold floating-point numbers.
    case wrongType(path: String, tensor: String, found: String)
    /// The checkpoint has a tensor that the model has no place for.
    case unexpectedTensor(path: String, tensor: String, found: [Int])
    /// Two files have a tensor of the same name.
    case repeatedTensor(path: String, tensor: String, other: String)
    /// A weight is infinite or not a number, or beyond the type that it is to have.
    case badWeight(path: String, tensor: String, index: Int, value: Float, type: String)
    /// A variance is negative.
    case badVariance(path: String, tensor: String, index: Int, value: Float)
    /// A weight that is computed of finite ones is infinite or not a number, or beyond its type.
    case badResult(
        path: String,
        tensor: String,
        sources: [String],
        index: Int,
        value: Float,
        type: String
    )

    /// One sentence: the file, the tensor, what was expected, what was found.
    public var description: String {
        switch self {
        case .missingFile(let path, let what):
            "\(path): \(what)"
        case .truncated(let path, let what, let offset, let needed, let available):
            "\(path): \(what) at byte \(offset) needs \(needed) bytes, \(available) are left; "
                + "the file is cut short or damaged"
        case .damaged(let path, let what, let offset):
            "\(path): \(what)" + (offset.map { " at byte \($0)" } ?? "")
        case .unsupported(let path, let what):
            "\(path): \(what)"
        case .unusedOption(let path, let option, let why):
            "\(path): \(option) would do nothing: \(why)"
        case .missingKey(let path, let key):
            "\(path): the key '\(key)' is missing"
        case .badValue(let path, let key, let expected, let found):
            "\(path): '\(key)' should be \(expected), is \(found)"
        case .missingTensor(let path, let tensor, let expected):
            "\(path): the tensor '\(tensor)'\(expected.isEmpty ? "" : " of shape \(expected)") "
                + "is missing"
        case .wrongShape(let path, let tensor, let expected, let found):
            "\(path): the tensor '\(tensor)' should have shape \(expected), has \(found)"
        case .wrongType(let path, let tensor, let found):
            "\(path): the tensor '\(tensor)' should have elements of F64, F32, F16 or BF16, has "
                + found
        case .unexpectedTensor(let path, let tensor, let found):
            "\(path): the tensor '\(tensor)' of shape \(found) has no place in this model; is "
                + "config.json that of another one?"
        case .repeatedTensor(let path, let tensor, let other):
            "\(path): the tensor '\(tensor)' is also in \(other)"
        case .badWeight(let path, let tensor, let index, let value, let type):
            "\(path): the tensor '\(tensor)' has the weight \(value) at element \(index), which "
                + "\(type) cannot hold"
        case .badVariance(let path, let tensor, let index, let value):
            "\(path): the tensor '\(tensor)' has the variance \(value) at element \(index), which is "
                + "below 0"
        case .badResult(let path, let tensor, let sources, let index, let value, let type):
            "\(path): the tensor '\(tensor)', which is made of "
                + sources.map { "'\($0)'" }.joined(separator: ", ")
                + ", would have the weight \(value) at element \(index), which \(type) cannot hold"
        }
    }
}
