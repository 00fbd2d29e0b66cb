// SPDX-License-Identifier: Apache-2.0

extension ModelFile {
    /// Whether the file has a key.
    public func contains(_ key: String) -> Bool {
        header.metadataIndices[key] != nil
    }

    /// The entry of a key, or nil.
    public func entry(_ key: String) -> MetadataEntry? {
        header.metadataIndices[key].map { header.metadata[$0] }
    }

    /// The text of a key.
    ///
    /// - Throws: `ModelFileError.missingKey`, and `.unusableValue` if it is no UTF-8 string.
    public func string(_ key: String) throws(ModelFileError) -> String {
        let entry = try scalar(key, "a string") { $0 == .string }
        var cursor = cursor(at: entry)
        return try text(at: &cursor, of: entry)
    }

    /// The whole number of a key, whatever its width.
    ///
    /// - Throws: `ModelFileError.missingKey`, and `.unusableValue` if it is no integer or does not
    ///   fit an `Int`.
    public func int(_ key: String) throws(ModelFileError) -> Int {
        let entry = try scalar(key, "an integer") { $0.isInteger }
        var cursor = cursor(at: entry)
        return try integer(at: &cursor, of: entry)
    }

    /// The number of a key that is stored as f32 or f64.
    ///
    /// - Throws: `ModelFileError.missingKey`, and `.unusableValue` if it is no such number.
    public func float(_ key: String) throws(ModelFileError) -> Float {
        let entry = try scalar(key, "f32 or f64") { $0 == .float32 || $0 == .float64 }
        var cursor = cursor(at: entry)
        return try number(at: &cursor, of: entry)
    }

    /// The truth value of a key.
    ///
    /// - Throws: `ModelFileError.missingKey`, and `.unusableValue` if it is no bool of 0 or 1.
    public func bool(_ key: String) throws(ModelFileError) -> Bool {
        let entry = try scalar(key, "a bool") { $0 == .bool }
        var cursor = cursor(at: entry)
        return try truth(at: &cursor, of: entry)
    }

    /// The text of a key, or the default if the file does not have the key.
    public func string(
        _ key: String,
        default absent: String
    ) throws(ModelFileError) -> String {
        contains(key) ? try string(key) : absent
    }

    /// The whole number of a key, or the default if the file does not have the key.
    public func int(_ key: String, default absent: Int) throws(ModelFileError) -> Int {
        contains(key) ? try int(key) : absent
    }

    /// The number of a key, or the default if the file does not have the key.
    public func float(_ key: String, default absent: Float) throws(ModelFileError) -> Float {
        contains(key) ? try float(key) : absent
    }

    /// The truth value of a key, or the default if the file does not have the key.
    public func bool(_ key: String, default absent: Bool) throws(ModelFileError) -> Bool {
        contains(key) ? try bool(key) : absent
    }

    /// The texts of a key whose value is an array of strings.
    ///
    /// - Throws: As `string(_:)`; `.unusableValue` also if the value is no array.
    public func strings(_ key: String) throws(ModelFileError) -> [String] {
        let (entry, count) = try array(key, "an array of strings") { $0 == .string }
        var cursor = cursor(at: entry)
        var values: [String] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            values.append(try text(at: &cursor, of: entry))
        }
        return values
    }

    /// The whole numbers of a key whose value is an array of integers of any width.
    ///
    /// - Throws: As `int(_:)`; `.unusableValue` also if the value is no array.
    public func ints(_ key: String) throws(ModelFileError) -> [Int] {
        let (entry, count) = try array(key, "an array of integers") { $0.isInteger }
        var cursor = cursor(at: entry)
        var values: [Int] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            values.append(try integer(at: &cursor, of: entry))
        }
        return values
    }

    /// The numbers of a key whose value is an array of f32 or f64.
    ///
    /// - Throws: As `float(_:)`; `.unusableValue` also if the value is no array.
    public func floats(_ key: String) throws(ModelFileError) -> [Float] {
        let (entry, count) = try array(key, "an array of f32 or f64") {
            $0 == .float32 || $0 == .float64
        }
        var cursor = cursor(at: entry)
        var values: [Float] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            values.append(try number(at: &cursor, of: entry))
        }
        return values
    }

    /// The truth values of a key whose value is an array of bools.
    ///
    /// - Throws: As `bool(_:)`; `.unusableValue` also if the value is no array.
    public func bools(_ key: String) throws(ModelFileError) -> [Bool] {
        let (entry, count) = try array(key, "an array of bools") { $0 == .bool }
        var cursor = cursor(at: entry)
        var values: [Bool] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            values.append(try truth(at: &cursor, of: entry))
        }
        return values
    }

    /// The entry of a key, if it is one value of an accepted type.
    private func scalar(
        _ key: String,
        _ expected: String,
        accepts: (MetadataType) -> Bool
    ) throws(ModelFileError) -> MetadataEntry {
        guard let entry = entry(key) else { throw .missingKey(path: path, key: key) }
        guard entry.elementCount == nil, accepts(entry.type) else {
            throw unusable(entry, expected, found: entry.typeName)
        }
        return entry
    }

    /// The entry of a key and its count of elements, if it is an array of an accepted type.
    private func array(
        _ key: String,
        _ expected: String,
        accepts: (MetadataType) -> Bool
    ) throws(ModelFileError) -> (MetadataEntry, Int) {
        guard let entry = entry(key) else { throw .missingKey(path: path, key: key) }
        guard let count = entry.elementCount, accepts(entry.type) else {
            throw unusable(entry, expected, found: entry.typeName)
        }
        return (entry, count)
    }
}
