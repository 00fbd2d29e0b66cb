// SPDX-License-Identifier: Apache-2.0

/// What a pickle of tensors is made of.
enum PickleValue {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case text(String)
    case tuple([PickleValue])
    case list(PickleList)
    case dictionary(PickleDictionary)
    /// A name that the pickle may use; nothing is imported or called.
    case global(PickleGlobal)
    /// The bytes of a storage: the archive's entry and the type of the elements.
    case storage(PickleStorage)
    /// A view of a storage.
    case tensor(PickleTensor)
    /// The start of a group on the stack.
    case mark
}

/// A list; a class, because a pickle fills it after it was put elsewhere.
final class PickleList {
    var values: [PickleValue] = []
}

/// A dictionary in its order; a class, as `PickleList` is.
final class PickleDictionary {
    var members: [(key: PickleValue, value: PickleValue)] = []
}

/// The names that pickles of tensors use.
enum PickleGlobal {
    case orderedDictionary
    case rebuildTensor
    case rebuildParameter
    case storageType(ElementType)
    /// A storage of bytes, whose tensors say their type.
    case untypedStorage

    /// The meaning of a name, or nil if no pickle of tensors needs it.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch.storage", "UntypedStorage"): self = .untypedStorage
        case ("torch", "DoubleStorage"): self = .storageType(.f64)
        case ("torch", "FloatStorage"): self = .storageType(.f32)
        case ("torch", "HalfStorage"): self = .storageType(.f16)
        case ("torch", "BFloat16Storage"): self = .storageType(.bf16)
        case ("torch", "LongStorage"): self = .storageType(.i64)
        case ("torch", "IntStorage"): self = .storageType(.i32)
        case ("torch", "ShortStorage"): self = .storageType(.i16)
        case ("torch", "CharStorage"): self = .storageType(.i8)
        case ("torch", "ByteStorage"): self = .storageType(.u8)
        case ("torch", "BoolStorage"): self = .storageType(.bool)
        default: return nil
        }
    }
}

/// A storage: `archive/data/KEY` holds its elements.
struct PickleStorage {
    var key: String
    var type: ElementType
    var elementCount: Int
}

/// A view of a storage, with strides in elements.
struct PickleTensor {
    var storage: PickleStorage
    var offset: Int
    var shape: [Int]
    var strides: [Int]

    /// Whether the elements lie packed in C order.
    var isPacked: Bool {
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            guard stride == expected else { return false }
            expected *= size
        }
        return true
    }
}
