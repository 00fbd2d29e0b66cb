// SPDX-License-Identifier: Apache-2.0

/// What a model file says before its data: the one place where its structure is checked.
struct ParsedHeader {
    private(set) var version = 0
    private(set) var alignment = 32
    private(set) var dataOffset = 0
    private(set) var metadata: [MetadataEntry] = []
    private(set) var metadataIndices: [String: Int] = [:]
    private(set) var tensors: [TensorInfo] = []
    private(set) var tensorIndices: [String: Int] = [:]

    /// ggml's limit for names of tensors: 64 bytes with the terminating zero.
    static let maximumNameByteCount = 63
    /// "GGUF" as a little-endian number.
    static let magic: UInt32 = 0x4655_4747

    /// Reads and checks all of the header; nothing of the data but its extent.
    init(from start: ByteCursor) throws(ModelFileError) {
        var cursor = start
        guard try cursor.integer(UInt32.self, "the magic number") == Self.magic else {
            throw .notAModelFile(path: cursor.path)
        }
        let version = try cursor.integer(UInt32.self, "the version")
        guard version == 2 || version == 3 else {
            throw .unsupportedVersion(path: cursor.path, version: version)
        }
        self.version = Int(version)
        // A tensor takes at least a name's length, the count of dimensions, a type, an offset; a
        // key at least its length, a type and one byte.
        let tensorCount = try cursor.count(ofAtLeast: 24, "the count of tensors")
        let keyCount = try cursor.count(ofAtLeast: 13, "the count of metadata keys")
        try readMetadata(count: keyCount, from: &cursor)
        try readAlignment(from: cursor)
        try readTensors(count: tensorCount, from: &cursor)
    }

    private mutating func readMetadata(
        count: Int,
        from cursor: inout ByteCursor
    ) throws(ModelFileError) {
        metadata.reserveCapacity(count)
        metadataIndices.reserveCapacity(count)
        for index in 0..<count {
            let start = cursor.position
            let key = try cursor.string("a metadata key")
            var type = try Self.readType(from: &cursor)
            var elementCount: Int?
            if type == .array {
                type = try Self.readType(from: &cursor)
                guard type != .array else {
                    throw .invalid(
                        path: cursor.path,
                        what: "'\(key)' is an array of arrays",
                        offset: cursor.position - 4
                    )
                }
                elementCount = try cursor.count(
                    ofAtLeast: type.minimumByteCount,
                    "the elements of '\(key)'"
                )
            }
            let offset = cursor.position
            if type == .string {
                for _ in 0..<(elementCount ?? 1) {
                    _ = try cursor.stringRange("a string of '\(key)'")
                }
            } else {
                // Cannot overflow: the count was bounded by the size of the file.
                let byteCount = (elementCount ?? 1) * type.minimumByteCount
                _ = try cursor.skip(UInt64(byteCount), "the value of '\(key)'")
            }
            guard metadataIndices.updateValue(index, forKey: key) == nil else {
                throw .duplicate(path: cursor.path, name: key, offset: start)
            }
            metadata.append(
                MetadataEntry(key: key, type: type, elementCount: elementCount, offset: offset)
            )
        }
    }

    private static func readType(
        from cursor: inout ByteCursor
    ) throws(ModelFileError) -> MetadataType {
        let offset = cursor.position
        let number = try cursor.integer(UInt32.self, "the type of a metadata value")
        guard let type = MetadataType(rawValue: number) else {
            throw .invalid(
                path: cursor.path,
                what: "unknown metadata type \(number)",
                offset: offset
            )
        }
        return type
    }

    private mutating func readAlignment(from end: ByteCursor) throws(ModelFileError) {
        guard let index = metadataIndices["general.alignment"] else { return }
        let entry = metadata[index]
        var cursor = end.moved(to: entry.offset)
        guard entry.type == .uint32, entry.elementCount == nil else {
            throw .unusableValue(
                path: cursor.path,
                key: entry.key,
                expected: "u32",
                found: entry.typeName,
                offset: entry.offset
            )
        }
        let value = try cursor.integer(UInt32.self, "the alignment")
        guard let alignment = Int(exactly: value), alignment >= 8,
            alignment & (alignment - 1) == 0
        else {
            throw .unusableValue(
                path: cursor.path,
                key: entry.key,
                expected: "a power of two from 8",
                found: "\(value)",
                offset: entry.offset
            )
        }
        self.alignment = alignment
    }

    private mutating func readTensors(
        count: Int,
        from cursor: inout ByteCursor
    ) throws(ModelFileError) {
        tensors.reserveCapacity(count)
        tensorIndices.reserveCapacity(count)
        let fileByteCount = UInt64(cursor.position + cursor.available)
        var nextOffset: UInt64 = 0  // relative to the data
        for index in 0..<count {
            let start = cursor.position
            let tensor = try readTensor(dataOffset: nextOffset, from: &cursor)
            guard tensorIndices.updateValue(index, forKey: tensor.name) == nil else {
                throw .duplicate(path: cursor.path, name: tensor.name, offset: start)
            }
            // Checked per tensor, so that the running sum cannot overflow.
            let end = nextOffset + UInt64(tensor.byteCount)
            guard end <= fileByteCount else {
                throw .truncated(
                    path: cursor.path,
                    what: "the data of '\(tensor.name)', described",
                    offset: start,
                    needed: UInt64(tensor.byteCount),
                    available: cursor.available
                )
            }
            tensors.append(tensor)
            nextOffset = end.alignedUp(to: UInt64(alignment))
        }
        try placeData(after: cursor)
    }

    /// Reads one tensor's description; its offset stays relative to the data.
    private func readTensor(
        dataOffset: UInt64,
        from cursor: inout ByteCursor
    ) throws(ModelFileError) -> TensorInfo {
        let path = cursor.path
        let start = cursor.position
        let name = try cursor.string("the name of a tensor")
        guard name.utf8.count <= Self.maximumNameByteCount else {
            throw .invalid(
                path: path,
                what: "a tensor's name of \(name.utf8.count) bytes, more than 63",
                offset: start
            )
        }
        let dimensionsOffset = cursor.position
        let dimensionCount = try cursor.integer(UInt32.self, "the dimensions of '\(name)'")
        guard dimensionCount <= 4 else {
            throw .invalid(
                path: path,
                what: "'\(name)' has \(dimensionCount) dimensions, more than 4",
                offset: dimensionsOffset
            )
        }
        var shape: [Int] = []
        for _ in 0..<dimensionCount {
            let offset = cursor.position
            let dimension = try cursor.integer(UInt64.self, "a dimension of '\(name)'")
            guard let dimension = Int(exactly: dimension) else {
                throw .invalid(
                    path: path,
                    what: "'\(name)' has dimension \(dimension)",
                    offset: offset
                )
            }
            shape.append(dimension)
        }
        let typeOffset = cursor.position
        let number = try cursor.integer(UInt32.self, "the type of '\(name)'")
        guard let type = TensorType(number: number) else {
            throw .invalid(
                path: path,
                what: "'\(name)' has the unknown type \(number)",
                offset: typeOffset
            )
        }
        guard let byteCount = type.byteCount(shape: shape) else {
            throw .invalid(
                path: path,
                what: "'\(name)' has the shape \(describeShape(shape)), impossible in \(type.name)",
                offset: dimensionsOffset
            )
        }
        let offsetOffset = cursor.position
        let offset = try cursor.integer(UInt64.self, "the offset of '\(name)'")
        guard offset == dataOffset else {
            throw .invalid(
                path: path,
                what: "'\(name)' has offset \(offset), must follow the tensor before at "
                    + "\(dataOffset)",
                offset: offsetOffset
            )
        }
        return TensorInfo(
            name: name,
            type: type,
            shape: shape,
            offset: Int(offset),
            byteCount: byteCount
        )
    }

    /// Makes the offsets absolute and checks that the data is inside the file.
    private mutating func placeData(
        after cursor: ByteCursor
    ) throws(ModelFileError) {
        let base = UInt64(cursor.position).alignedUp(to: UInt64(alignment))
        let fileByteCount = cursor.position + cursor.available
        // A file without tensors may end before the padding.
        dataOffset = min(Int(clamping: base), fileByteCount)
        for index in tensors.indices {
            let tensor = tensors[index]
            let start = Int(clamping: base + UInt64(tensor.offset))
            guard tensor.byteCount <= fileByteCount - min(start, fileByteCount) else {
                throw .truncated(
                    path: cursor.path,
                    what: "the data of '\(tensor.name)'",
                    offset: start,
                    needed: UInt64(tensor.byteCount),
                    available: max(0, fileByteCount - start)
                )
            }
            tensors[index] = TensorInfo(
                name: tensor.name,
                type: tensor.type,
                shape: tensor.shape,
                offset: start,
                byteCount: tensor.byteCount
            )
        }
    }
}

extension UInt64 {
    /// The number rounded up to a multiple of a power of two; the number is below 2^63.
    func alignedUp(to alignment: UInt64) -> UInt64 {
        (self + alignment - 1) & ~(alignment - 1)
    }
}
