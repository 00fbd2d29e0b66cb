// SPDX-License-Identifier: Apache-2.0

/// What a model file says before its data: the metadata and the tensors of a file to be written.
///
///     var header = ModelHeader(architecture: "mamba")
///     header.add("mamba.block_count", .uint32(24))
///     header.addTensor("output_norm.weight", type: TensorType(.f32), shape: [768])
///     var writer = try ModelFileWriter(path: "decoder.gguf", header: header)
///     try writer.write(bytes)        // the data of all tensors, in this order, in any portions
///     try writer.finish()
public struct ModelHeader: Sendable {
    private(set) var metadata: [(key: String, value: MetadataValue)]
    private(set) var tensors: [(name: String, type: TensorType, shape: [Int])] = []

    /// A header whose first key is "general.architecture".
    public init(architecture: String) {
        metadata = [("general.architecture", .string(architecture))]
    }

    /// Adds a key; `ModelFileWriter` refuses one that is there already.
    public mutating func add(_ key: String, _ value: MetadataValue) {
        metadata.append((key, value))
    }

    /// Adds a tensor; its data comes after that of the tensors added before.
    ///
    /// - Parameters:
    ///   - name: At most 63 bytes.
    ///   - type: The type of the elements.
    ///   - shape: The dimensions in GGUF's order, the first varies fastest.
    public mutating func addTensor(_ name: String, type: TensorType, shape: [Int]) {
        tensors.append((name, type, shape))
    }

    /// The alignment of tensors in bytes: what the key "general.alignment" says, or 32.
    var alignment: Int {
        let stated = metadata.first { $0.key == "general.alignment" }?.value
        if case .uint32(let alignment) = stated { return Int(alignment) }
        return 32
    }

    /// A number that tells this header from others: FNV-1a of its bytes, to go on with a partial file.
    ///
    /// - Throws: `ModelFileError.unwritable` if the header makes no valid file.
    package func fingerprint(path: String) throws(ModelFileError) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in try encoded(path: path).bytes {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return hash
    }

    /// The header as version 3 of GGUF stores it, padded to the beginning of the data, and the size
    /// of each tensor's data.
    ///
    /// - Throws: `ModelFileError.unwritable` if a key or name is there twice, a name is too long, a
    ///   tensor is impossible, or the alignment is no power of two from 8.
    func encoded(
        path: String
    ) throws(ModelFileError) -> (bytes: [UInt8], tensorByteCounts: [Int]) {
        let alignment = alignment
        guard alignment >= 8, alignment & (alignment - 1) == 0 else {
            throw .unwritable(
                path: path,
                what: "'general.alignment' should be a power of two from 8, is \(alignment)"
            )
        }
        var bytes: [UInt8] = []
        bytes.appendInteger(ParsedHeader.magic)
        bytes.appendInteger(UInt32(3))
        bytes.appendInteger(UInt64(tensors.count))
        bytes.appendInteger(UInt64(metadata.count))
        var keys: Set<String> = []
        for (key, value) in metadata {
            guard keys.insert(key).inserted else {
                throw .unwritable(path: path, what: "the key '\(key)' is there twice")
            }
            bytes.appendString(key)
            value.append(to: &bytes)
        }
        var names: Set<String> = []
        var offset: UInt64 = 0
        var tensorByteCounts: [Int] = []
        for (name, type, shape) in tensors {
            guard names.insert(name).inserted else {
                throw .unwritable(path: path, what: "the tensor '\(name)' is there twice")
            }
            guard name.utf8.count <= ParsedHeader.maximumNameByteCount else {
                throw .unwritable(path: path, what: "the name '\(name)' has more than 63 bytes")
            }
            guard let byteCount = type.byteCount(shape: shape), offset < UInt64(Int.max) / 2,
                byteCount < Int.max / 2
            else {
                throw .unwritable(
                    path: path,
                    what: "'\(name)' cannot be \(describeShape(shape)) in \(type.name)"
                )
            }
            bytes.appendString(name)
            bytes.appendInteger(UInt32(shape.count))
            for dimension in shape { bytes.appendInteger(UInt64(dimension)) }
            bytes.appendInteger(type.number)
            bytes.appendInteger(offset)
            tensorByteCounts.append(byteCount)
            offset = (offset + UInt64(byteCount)).alignedUp(to: UInt64(alignment))
        }
        while bytes.count % alignment != 0 { bytes.append(0) }
        return (bytes, tensorByteCounts)
    }
}
