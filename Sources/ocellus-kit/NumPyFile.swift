// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus

/// Writes arrays as NumPy's `.npy` files, version 1.0.
enum NumPyFile {
    /// What was written.
    struct Description: Encodable {
        var file: String
        var shape: [Int]
        /// NumPy's name of the type.
        var dtype: String
    }

    /// Writes a traced tensor as float32 in C order.
    static func write(
        _ tensor: TracedTensor,
        named name: String,
        to folder: PartialFolder
    ) throws -> Description {
        try write(tensor.elements, shape: tensor.shape, named: name, to: folder)
    }

    /// Writes elements as float32 in C order.
    static func write(
        _ elements: [Float],
        shape: [Int],
        named name: String,
        to folder: PartialFolder
    ) throws -> Description {
        let words = elements.map { $0.bitPattern.littleEndian }
        let bytes = words.withUnsafeBytes { Data($0) }
        return try write(bytes, type: "<f4", shape: shape, named: name, to: folder)
    }

    /// Writes whole numbers as int64.
    static func write(
        _ values: [Int],
        named name: String,
        to folder: PartialFolder
    ) throws -> Description {
        let words = values.map { Int64($0).littleEndian }
        let bytes = words.withUnsafeBytes { Data($0) }
        return try write(bytes, type: "<i8", shape: [values.count], named: name, to: folder)
    }

    private static func write(
        _ data: Data,
        type: String,
        shape: [Int],
        named name: String,
        to folder: PartialFolder
    ) throws -> Description {
        let sizes = shape.map { "\($0)," }.joined(separator: " ")
        var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
        // The data starts at a multiple of 64; the header ends with a newline.
        let unpadded = 10 + header.utf8.count + 1
        header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
        var file = Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0])
        file.append(contentsOf: [
            UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8),
        ])
        file += Data(header.utf8) + data
        try folder.add(file, named: name)
        return Description(file: name, shape: shape, dtype: type)
    }
}
