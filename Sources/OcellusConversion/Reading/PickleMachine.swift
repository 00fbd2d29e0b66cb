// SPDX-License-Identifier: Apache-2.0

/// Reads what `torch.save` writes about tensors, and runs nothing.
///
/// Python's pickle is a language that can call any function. This machine knows the few opcodes that a
/// dictionary of tensors needs, and the few names in `PickleGlobal`; anything else is refused with its
/// name. Its memory is bounded by the size of the pickle.
///
/// - Source: CPython's Lib/pickletools.py (the opcodes), torch/serialization.py and torch/_utils.py.
struct PickleMachine {
    private let path: String
    private let bytes: UnsafeRawBufferPointer
    /// Where the pickle begins in the file, for messages.
    private let start: Int
    private var position = 0
    private var stack: [PickleValue] = []
    private var memo: [Int: PickleValue] = [:]

    /// Reads a pickle that the caller keeps alive.
    ///
    /// - Throws: `ConversionError.damaged` and `.unsupported`.
    static func read(
        _ bytes: UnsafeRawBufferPointer,
        path: String,
        start: Int
    ) throws(ConversionError) -> PickleValue {
        var machine = PickleMachine(path: path, bytes: bytes, start: start)
        return try machine.run()
    }

    private init(path: String, bytes: UnsafeRawBufferPointer, start: Int) {
        self.path = path
        self.bytes = bytes
        self.start = start
    }

    private mutating func run() throws(ConversionError) -> PickleValue {
        while true {
            let code = try byte()
            if code == UInt8(ascii: ".") { return try pop() }
            try run(code)
        }
    }

    /// Runs one opcode; the letters are pickle's own.
    private mutating func run(_ code: UInt8) throws(ConversionError) {
        switch code {
        case 0x80: _ = try byte()  // PROTO
        case 0x95: _ = try integer(UInt64.self)  // FRAME
        case UInt8(ascii: "}"): stack.append(.dictionary(PickleDictionary()))
        case UInt8(ascii: "]"): stack.append(.list(PickleList()))
        case UInt8(ascii: ")"): stack.append(.tuple([]))
        case UInt8(ascii: "("): stack.append(.mark)
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "K"): stack.append(.int(Int(try byte())))
        case UInt8(ascii: "M"): stack.append(.int(Int(try integer(UInt16.self))))
        case UInt8(ascii: "J"): stack.append(.int(Int(try integer(Int32.self))))
        case 0x8A: stack.append(.int(try longInteger()))
        case UInt8(ascii: "G"):
            let bits = try integer(UInt64.self).byteSwapped  // the one big-endian number
            stack.append(.float(Double(bitPattern: bits)))
        case UInt8(ascii: "X"): stack.append(.text(try text(Int(try integer(UInt32.self)))))
        case 0x8C: stack.append(.text(try text(Int(try byte()))))
        case 0x8D: stack.append(.text(try text(Int(clamping: try integer(UInt64.self)))))
        case UInt8(ascii: "q"): memo[Int(try byte())] = try top()
        case UInt8(ascii: "r"): memo[Int(try integer(UInt32.self))] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "h"): try recall(Int(try byte()))
        case UInt8(ascii: "j"): try recall(Int(try integer(UInt32.self)))
        case UInt8(ascii: "t"): stack.append(.tuple(try popGroup()))
        case 0x85: try makeTuple(1)
        case 0x86: try makeTuple(2)
        case 0x87: try makeTuple(3)
        case UInt8(ascii: "a"):
            let value = try pop()
            try append([value])
        case UInt8(ascii: "e"):
            let values = try popGroup()
            try append(values)
        case UInt8(ascii: "s"):
            let (value, key) = (try pop(), try pop())
            try set([key, value])
        case UInt8(ascii: "u"):
            let values = try popGroup()
            try set(values)
        case UInt8(ascii: "c"): try pushGlobal(module: try line(), name: try line())
        case 0x93:
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                throw damaged("a name that is no text")
            }
            try pushGlobal(module: module, name: name)
        case UInt8(ascii: "Q"): try makeStorage()
        case UInt8(ascii: "R"): try call()
        case UInt8(ascii: "b"): _ = try pop()  // BUILD: attributes such as a state dict's _metadata
        default:
            throw unsupported(
                "the pickle uses opcode 0x\(String(code, radix: 16)) at byte \(start + position - 1), "
                    + "which tensors do not need"
            )
        }
    }

    // MARK: values

    private mutating func recall(_ index: Int) throws(ConversionError) {
        guard let value = memo[index] else { throw damaged("the pickle recalls nothing") }
        stack.append(value)
    }

    private mutating func makeTuple(_ count: Int) throws(ConversionError) {
        var values: [PickleValue] = []
        for _ in 0..<count { values.insert(try pop(), at: 0) }
        stack.append(.tuple(values))
    }

    /// APPEND and APPENDS: values to the list under them.
    private mutating func append(_ values: [PickleValue]) throws(ConversionError) {
        guard case .list(let list) = try top() else { throw damaged("no list to append to") }
        list.values += values
    }

    /// SETITEM and SETITEMS: keys and values, in turn, to the dictionary under them.
    private mutating func set(_ values: [PickleValue]) throws(ConversionError) {
        guard case .dictionary(let dictionary) = try top(), values.count % 2 == 0 else {
            throw damaged("no dictionary to fill")
        }
        for index in stride(from: 0, to: values.count, by: 2) {
            dictionary.members.append((values[index], values[index + 1]))
        }
    }

    private mutating func pushGlobal(module: String, name: String) throws(ConversionError) {
        guard let global = PickleGlobal(module: module, name: name) else {
            // A key stands before its value.
            if module == "torch._utils", name.hasPrefix("_rebuild_"),
                case .text(let key) = stack.last
            {
                throw unsupported(
                    "the tensor '\(key)' is of a kind that is not read (\(name)): quantised, sparse, or "
                        + "without elements"
                )
            }
            throw unsupported(
                "the pickle asks for '\(module).\(name)', which tensors do not need; loading the "
                    + "file with PyTorch might run a program. Save its state_dict alone"
            )
        }
        stack.append(.global(global))
    }

    /// BINPERSID: ("storage", type, key, device, element count).
    private mutating func makeStorage() throws(ConversionError) {
        guard case .tuple(let id) = try pop(), id.count == 5, case .text("storage") = id[0],
            case .global(let global) = id[1], case .text(let key) = id[2]
        else { throw damaged("a storage without type and key") }
        switch global {
        case .elementType(let type): stack.append(.storage(PickleStorage(key: key, type: type)))
        case .untypedStorage: stack.append(.storage(PickleStorage(key: key, type: nil)))
        case .orderedDictionary, .rebuildTensor, .rebuildTypedTensor, .rebuildParameter:
            throw damaged("a storage without a type")
        }
    }

    /// REDUCE, for the names that can be called.
    private mutating func call() throws(ConversionError) {
        guard case .tuple(let arguments) = try pop(), case .global(let global) = try pop() else {
            throw damaged("a call without a name")
        }
        switch global {
        case .orderedDictionary:
            guard arguments.isEmpty else { throw damaged("an OrderedDict with arguments") }
            stack.append(.dictionary(PickleDictionary()))
        case .rebuildTensor:
            stack.append(.tensor(try tensor(arguments, type: nil)))
        case .rebuildTypedTensor:
            guard arguments.count >= 7, case .global(.elementType(let type)) = arguments[6] else {
                throw damaged("a tensor without a type")
            }
            stack.append(.tensor(try tensor(arguments, type: type)))
        case .rebuildParameter:
            guard let first = arguments.first, case .tensor = first else {
                throw damaged("a parameter without a tensor")
            }
            stack.append(first)
        case .elementType, .untypedStorage:
            throw damaged("a call of a type")
        }
    }

    /// A tensor from (storage, offset, shape, strides, ...).
    private func tensor(
        _ arguments: [PickleValue],
        type: PickleElementType?
    ) throws(ConversionError) -> PickleTensor {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0],
            case .int(let offset) = arguments[1], let shape = Self.sizes(arguments[2]),
            let strides = Self.sizes(arguments[3]), shape.count == strides.count
        else { throw damaged("a tensor without storage, offset, shape and strides") }
        guard let type = type ?? storage.type else {
            throw damaged("a tensor and a storage without a type")
        }
        return PickleTensor(
            key: storage.key,
            type: type,
            offset: offset,
            shape: shape,
            strides: strides
        )
    }

    private static func sizes(_ value: PickleValue) -> [Int]? {
        guard case .tuple(let values) = value else { return nil }
        let sizes = values.compactMap { value -> Int? in
            if case .int(let size) = value, size >= 0 { size } else { nil }
        }
        return sizes.count == values.count ? sizes : nil
    }

    // MARK: stack

    private func top() throws(ConversionError) -> PickleValue {
        guard let value = stack.last else { throw damaged("the pickle's stack is empty") }
        return value
    }

    private mutating func pop() throws(ConversionError) -> PickleValue {
        guard let value = stack.popLast() else { throw damaged("the pickle's stack is empty") }
        return value
    }

    /// Takes all values after the last mark, and the mark.
    private mutating func popGroup() throws(ConversionError) -> [PickleValue] {
        let mark = stack.lastIndex { if case .mark = $0 { true } else { false } }
        guard let mark else { throw damaged("the pickle's stack has no mark") }
        let values = Array(stack[(mark + 1)...])
        stack.removeSubrange(mark...)
        return values
    }

    // MARK: bytes

    private mutating func byte() throws(ConversionError) -> UInt8 { try integer(UInt8.self) }

    private mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type
    ) throws(ConversionError) -> T {
        let size = MemoryLayout<T>.size
        guard bytes.count - position >= size else { throw damaged("the pickle has no end") }
        defer { position += size }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
    }

    /// LONG1: two's complement of up to eight bytes.
    private mutating func longInteger() throws(ConversionError) -> Int {
        let count = Int(try byte())
        guard count <= 8 else { throw damaged("a number of \(count) bytes") }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(try byte()) << UInt64(8 * index) }
        let unused = UInt64(64 - 8 * count)
        return count == 0 ? 0 : Int(Int64(bitPattern: value << unused) >> Int64(unused))
    }

    private mutating func text(_ count: Int) throws(ConversionError) -> String {
        guard count <= bytes.count - position else { throw damaged("the pickle has no end") }
        defer { position += count }
        return String(decoding: bytes[position..<position + count], as: UTF8.self)
    }

    private mutating func line() throws(ConversionError) -> String {
        let rest = bytes[position...]
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
            throw damaged("the pickle has no end")
        }
        defer { position = end + 1 }
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    private func damaged(_ what: String) -> ConversionError {
        .damaged(path: path, what: what, offset: start + position)
    }

    private func unsupported(_ what: String) -> ConversionError {
        .unsupported(path: path, what: what)
    }
}
