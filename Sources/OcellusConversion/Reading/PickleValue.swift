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
    /// As above, with the type behind the other arguments.
    case rebuildTypedTensor
    case rebuildParameter
    /// The type of a tensor's elements, or a storage of it.
    case elementType(PickleElementType)
    /// A storage of bytes, whose tensors say their type.
    case untypedStorage

    /// The meaning of a name, or nil if no pickle of tensors needs it.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_tensor_v3"): self = .rebuildTypedTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch.storage", "UntypedStorage"): self = .untypedStorage
        case ("torch", _):
            guard let type = PickleElementType(name) else { return nil }
            self = .elementType(type)
        default: return nil
        }
    }
}

/// A type of elements by PyTorch's name of it, or of its storage.
struct PickleElementType {
    private static let storages: [String: ElementType] = [
        "DoubleStorage": .f64, "FloatStorage": .f32, "HalfStorage": .f16, "BFloat16Storage": .bf16,
        "LongStorage": .i64, "IntStorage": .i32, "ShortStorage": .i16, "CharStorage": .i8,
        "ByteStorage": .u8, "BoolStorage": .bool,
    ]
    /// What the names of the types begin with that have no storage of their own.
    private static let others = [
        "bfloat", "bits", "bool", "complex", "float", "int", "qint", "quint", "uint",
    ]

    let name: String
    /// Nil for a type that is not read.
    let type: ElementType?

    /// Nil for a name that is no type's.
    init?(_ name: String) {
        let type = Self.storages[name]
        guard
            type != nil || name.hasSuffix("Storage") || Self.others.contains(where: name.hasPrefix)
        else { return nil }
        self.name = "torch." + name
        self.type = type
    }
}

/// A storage: `archive/data/KEY` holds its elements.
struct PickleStorage {
    var key: String
    /// Nil if its tensors say it.
    var type: PickleElementType?
}

/// A view of a storage, with strides in elements.
struct PickleTensor {
    var key: String
    var type: PickleElementType
    var offset: Int
    var shape: [Int]
    var strides: [Int]

    /// How many elements of the storage it reaches over; nil if they are more than can be.
    var extent: Int? {
        if shape.contains(0) { return 0 }
        var last = 0
        for (size, stride) in zip(shape, strides) where size != 1 {
            let (reach, isTooFar) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, isTooLarge) = last.addingReportingOverflow(reach)
            guard stride >= 0, !isTooFar, !isTooLarge, sum < .max else { return nil }
            last = sum
        }
        return last + 1
    }

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
