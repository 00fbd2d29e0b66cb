// SPDX-License-Identifier: Apache-2.0
import Foundation

/// An array that NumPy wrote, version 1.0 of `.npy`, in C order: float32 or int64.
///
/// - Source: the format's description in the manual of NumPy, `numpy.lib.format`.
public struct ReferenceArray {
    /// The sizes, the slowest dimension first.
    public let shape: [Int]
    /// The elements; whole numbers are exact up to 2^24.
    public let elements: [Float]

    /// Why a file cannot be read.
    public enum FormatError: Error {
        /// It is not in the format, or of another type.
        case unreadable(path: String, what: String)
    }

    /// Reads a file.
    public init(path: String) throws {
        func fail(_ what: String) -> FormatError { .unreadable(path: path, what: what) }
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        guard data.count >= 10, data.starts(with: [0x93] + Array("NUMPY".utf8) + [1, 0]) else {
            throw fail("no NumPy file of version 1.0")
        }
        let start = 10 + Int(data[8]) + Int(data[9]) << 8
        guard data.count >= start else { throw fail("the header is cut off") }
        let header = String(decoding: data[10..<start], as: UTF8.self)
        guard header.contains("'fortran_order': False"),
            let sizes = header.firstMatch(of: /'shape': \(([0-9, ]*)\)/)?.output.1
        else { throw fail("header \(header)") }
        shape = sizes.split(separator: ",").compactMap {
            Int($0.trimmingCharacters(in: .whitespaces))
        }
        let count = shape.reduce(1, *)
        let body = data[start...]
        let isFloat = header.contains("'descr': '<f4'")
        guard isFloat || header.contains("'descr': '<i8'") else { throw fail("header \(header)") }
        guard body.count == count * (isFloat ? 4 : 8) else { throw fail("\(body.count) bytes") }
        elements = body.withUnsafeBytes { bytes in
            (0..<count).map { index in
                isFloat
                    ? bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
                    : Float(bytes.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self))
            }
        }
    }

    /// The elements at one index of the first dimension.
    public subscript(_ index: Int) -> ArraySlice<Float> {
        let count = shape.dropFirst().reduce(1, *)
        return elements[index * count..<(index + 1) * count]
    }
}
