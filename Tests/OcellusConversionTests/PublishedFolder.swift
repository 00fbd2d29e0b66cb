// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import OcellusFormat
import Testing

/// The message with which a conversion is refused; nothing may be left behind.
func refusal(
    of folder: PublishedFolder,
    _ options: ConversionOptions = ConversionOptions(),
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> String {
    let out = try TemporaryFolder()
    var message = ""
    do {
        try convert(folder.path, to: out.path, options)
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch let error as ConversionError {
        message = error.description
    } catch let error as ModelFileError {
        message = error.description
    }
    #expect(out.names == [], "files are left", sourceLocation: sourceLocation)
    return message
}

/// Expects that a fixture is refused if a text of one of its files is another one, with a message that says
/// `expected` and names the file.
func expectRefusal(
    _ expected: String,
    of name: String,
    _ options: ConversionOptions = ConversionOptions(),
    replacing text: String,
    by other: String,
    in file: String = "config.json",
    namesFile: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let folder = try PublishedFolder(name)
    try folder.replace(text, by: other, in: file)
    let message = try refusal(of: folder, options, sourceLocation: sourceLocation)
    #expect(message.contains(expected), "\(message)", sourceLocation: sourceLocation)
    if namesFile {
        #expect(message.contains(file), "\(message)", sourceLocation: sourceLocation)
    }
}

/// A copy of a fixture as a folder of its own, to be damaged.
final class PublishedFolder {
    private let folder: TemporaryFolder
    var path: String { folder.path }

    init(_ name: String) throws {
        folder = try TemporaryFolder()
        let files = FileManager.default
        for file in try files.contentsOfDirectory(atPath: Fixture(name).path)
        where !file.hasSuffix(".npy") {
            try files.copyItem(atPath: "\(Fixture(name).path)/\(file)", toPath: folder.file(file))
        }
    }

    func data(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
    }

    func write(_ data: Data, to name: String) throws {
        try data.write(to: URL(fileURLWithPath: folder.file(name)))
    }

    /// Replaces a text where it first occurs in a file.
    func replaceOnce(_ text: String, by other: String, in name: String) throws {
        var data = try data(name)
        if let range = data.range(of: Data(text.utf8)) {
            data.replaceSubrange(range, with: Data(other.utf8))
        }
        try write(data, to: name)
    }

    /// Replaces a text wherever it occurs in a file.
    func replace(_ text: String, by other: String, in name: String) throws {
        var data = try data(name)
        var start = data.startIndex
        while let range = data.range(of: Data(text.utf8), in: start..<data.endIndex) {
            data.replaceSubrange(range, with: Data(other.utf8))
            start = range.lowerBound + other.utf8.count
        }
        try write(data, to: name)
    }

    /// Sets an element of a tensor in F32 of model.safetensors.
    func set(_ tensor: String, at index: Int, to value: Float) throws {
        let name = "model.safetensors"
        var data = try data(name)
        let length = data.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
        let object = try JSONSerialization.jsonObject(with: data[8..<8 + length])
        let header = object as? [String: [String: Any]]
        let offsets = header?[tensor]?["data_offsets"] as? [Int]
        guard let start = offsets?.first else { throw CocoaError(.fileReadCorruptFile) }
        let place = 8 + length + start + 4 * index
        let bytes = withUnsafeBytes(of: value.bitPattern.littleEndian) { Data($0) }
        data.replaceSubrange(place..<place + 4, with: bytes)
        try write(data, to: name)
    }

    /// Changes the header of model.safetensors, and appends to its data.
    func rewriteHeader(
        appending more: Data = Data(),
        _ change: (inout [String: [String: Any]]) -> Void
    ) throws {
        let name = "model.safetensors"
        let data = try data(name)
        let length = data.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
        let object = try JSONSerialization.jsonObject(with: data[8..<8 + length])
        var header = object as? [String: [String: Any]] ?? [:]
        change(&header)
        let new = try JSONSerialization.data(withJSONObject: header)
        let count = withUnsafeBytes(of: UInt64(new.count).littleEndian) { Data($0) }
        try write(count + new + data[(8 + length)...] + more, to: name)
    }
}
