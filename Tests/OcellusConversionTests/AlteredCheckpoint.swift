// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion

/// A copy of a fixture whose tensors are names and shapes alone, to be taken away and changed.
///
/// Its one file of safetensors has as many bytes as the shapes say, all of them a hole in the file.
final class AlteredCheckpoint {
    let folder: PublishedFolder
    /// What the fixture has.
    let shapes: [String: [Int]]
    private let types: [String: String]
    private let file: String

    init(_ name: String) throws {
        folder = try PublishedFolder(name)
        let checkpoint = try Checkpoint(path: folder.path)
        shapes = checkpoint.tensors.mapValues(\.shape)
        types = checkpoint.tensors.mapValues(\.type.rawValue)
        // Configurations of Apple's are found by the name of the checkpoint.
        let last = checkpoint.path.split(separator: "/").last ?? ""
        file = last.split(separator: ".")[0] + ".safetensors"
        for path in Set(checkpoint.files + [checkpoint.path]) {
            try FileManager.default.removeItem(atPath: path)
        }
    }

    /// Writes the checkpoint with these tensors.
    func write(_ shapes: [String: [Int]]) throws {
        var entries: [String] = []
        var end = 0
        for (name, shape) in shapes {
            let type = types[name] ?? "F32"
            let start = end
            end += shape.reduce(["F64": 8, "I64": 8, "F16": 2, "BF16": 2][type] ?? 4, *)
            entries.append(
                "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}"
            )
        }
        var header = Data("{\(entries.joined(separator: ","))}".utf8)
        // As the library does it.
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        let count = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
        let path = "\(folder.path)/\(file)"
        guard FileManager.default.createFile(atPath: path, contents: count + header) else {
            throw CocoaError(.fileWriteUnknown)
        }
        let handle = FileHandle(forWritingAtPath: path)
        try handle?.truncate(atOffset: UInt64(8 + header.count + end))
        try handle?.close()
    }

    /// The message with which the conversion of these tensors is refused, or nil if files would be written.
    func refusal(of shapes: [String: [Int]], _ options: ConversionOptions) throws -> String? {
        try write(shapes)
        do {
            _ = try ModelConversion.plans(for: PublishedModel(path: folder.path), options)
            return nil
        } catch let error as ConversionError {
            return error.description
        }
    }
}
