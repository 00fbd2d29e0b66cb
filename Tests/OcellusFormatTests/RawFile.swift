// SPDX-License-Identifier: Apache-2.0

/// The bytes of a GGUF file, field by field, so that each can be wrong.
struct RawFile {
    var magic: [UInt8] = Array("GGUF".utf8)
    var version: UInt32 = 3
    var tensorCount: UInt64?
    var keyCount: UInt64?
    var keys: [[UInt8]] = []
    var tensors: [[UInt8]] = []
    var data: [UInt8] = []

    /// Adds a key with a value of any bytes.
    mutating func addKey(_ key: [UInt8], type: UInt32, value: [UInt8]) {
        keys.append(Self.string(key) + Self.integer(type) + value)
    }

    /// Adds a tensor's description.
    mutating func addTensor(
        _ name: String,
        shape: [UInt64],
        type: UInt32 = 0,
        offset: UInt64 = 0,
        dimensionCount: UInt32? = nil
    ) {
        tensors.append(
            Self.string(Array(name.utf8))
                + Self.integer(dimensionCount ?? UInt32(shape.count))
                + shape.flatMap { Self.integer($0) } + Self.integer(type) + Self.integer(offset)
        )
    }

    /// The file, padded to 32 bytes before its data.
    var bytes: [UInt8] {
        var bytes = magic + Self.integer(version)
        bytes += Self.integer(tensorCount ?? UInt64(tensors.count))
        bytes += Self.integer(keyCount ?? UInt64(keys.count))
        bytes += (keys + tensors).joined()
        while bytes.count % 32 != 0 { bytes.append(0) }
        return bytes + data
    }

    static func integer(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    static func string(_ text: [UInt8]) -> [UInt8] {
        integer(UInt64(text.count)) + text
    }
}
