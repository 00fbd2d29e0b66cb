// SPDX-License-Identifier: Apache-2.0

extension ModelFile {
    /// A cursor at the value of an entry.
    func cursor(at entry: MetadataEntry) -> ByteCursor {
        file.cursor.moved(to: entry.offset)
    }

    /// The value of an entry of this file as it lies there, to be written to another.
    ///
    /// - Throws: `ModelFileError.truncated`, never for an entry of this file.
    public func storedValue(of entry: MetadataEntry) throws(ModelFileError) -> MetadataValue {
        var cursor = cursor(at: entry)
        let count = entry.elementCount ?? 1
        if entry.type == .string {
            for _ in 0..<count { _ = try cursor.stringRange("a string of '\(entry.key)'") }
        } else {
            let byteCount = UInt64(count) * UInt64(entry.type.minimumByteCount)
            _ = try cursor.skip(byteCount, "the value of '\(entry.key)'")
        }
        // Safety: the cursor has passed over these bytes.
        let bytes = unsafe Array(file.bytes[entry.offset..<cursor.position])
        return .stored(entry.type, elementCount: entry.elementCount, bytes: bytes)
    }

    /// Reads one string.
    func text(at cursor: inout ByteCursor, of entry: MetadataEntry) throws(ModelFileError) -> String
    {
        try cursor.string("a string of '\(entry.key)'")
    }

    /// Reads one integer of the entry's width.
    func integer(
        at cursor: inout ByteCursor,
        of entry: MetadataEntry
    ) throws(ModelFileError) -> Int {
        let what = entry.key
        let value: Int?
        switch entry.type {
        case .uint8: value = Int(try cursor.integer(UInt8.self, what))
        case .int8: value = Int(try cursor.integer(Int8.self, what))
        case .uint16: value = Int(try cursor.integer(UInt16.self, what))
        case .int16: value = Int(try cursor.integer(Int16.self, what))
        case .uint32: value = Int(exactly: try cursor.integer(UInt32.self, what))
        case .int32: value = Int(exactly: try cursor.integer(Int32.self, what))
        case .uint64: value = Int(exactly: try cursor.integer(UInt64.self, what))
        case .int64: value = Int(exactly: try cursor.integer(Int64.self, what))
        case .float32, .bool, .string, .array, .float64: value = nil
        }
        guard let value else {
            throw unusable(
                entry,
                "an integer of at most \(Int.bitWidth) bits",
                found: entry.typeName
            )
        }
        return value
    }

    /// Reads one number of the entry's width.
    func number(
        at cursor: inout ByteCursor,
        of entry: MetadataEntry
    ) throws(ModelFileError) -> Float {
        if entry.type == .float64 {
            return Float(Double(bitPattern: try cursor.integer(UInt64.self, entry.key)))
        }
        return Float(bitPattern: try cursor.integer(UInt32.self, entry.key))
    }

    /// Reads one truth value: a byte that is 0 or 1.
    func truth(at cursor: inout ByteCursor, of entry: MetadataEntry) throws(ModelFileError) -> Bool
    {
        let byte = try cursor.integer(UInt8.self, entry.key)
        guard byte <= 1 else { throw unusable(entry, "0 or 1", found: "\(byte)") }
        return byte == 1
    }

    /// The error for a value that the caller cannot use.
    func unusable(
        _ entry: MetadataEntry,
        _ expected: String,
        found: String
    ) -> ModelFileError {
        .unusableValue(
            path: path,
            key: entry.key,
            expected: expected,
            found: found,
            offset: entry.offset
        )
    }
}
