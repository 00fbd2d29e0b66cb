// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat

/// The tensors of a model as it was published, over all of its files.
///
///     let checkpoint = try Checkpoint(path: "mamba-130m-hf")
///     let embedding = checkpoint["backbone.embeddings.weight"]
public struct Checkpoint {
    /// The names under which libraries store checkpoints, the preferred one first.
    private static let fileNames = [
        "model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json",
        "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
        "checkpoints/latest-checkpoint.pt", "latest-checkpoint.pt",
    ]

    /// What programs that train put before all names: the key of the model beside other things, and PyTorch's
    /// DistributedDataParallel around it.
    private static let wrappers = ["state_dict.module.", "state_dict.", "module."]

    /// Where it was found: a file, an index, or what a folder holds.
    public let path: String
    /// All files with tensors.
    public let files: [String]
    /// The tensors by name.
    public private(set) var tensors: [String: SourceTensor]
    /// Where tensors come from, for the names of those that are missing.
    private let origins: [Origin]

    /// What begins with `prefix` here begins with `original` in a checkpoint as it was published.
    private struct Origin {
        let prefix: String
        let original: String
        let path: String
    }

    /// Opens a file of tensors, an index of shards, or what a folder has of either.
    ///
    /// - Throws: `ConversionError`, and `ModelFileError.cannotOpen`.
    public init(path: String) throws {
        let found = try Self.find(path)
        let files =
            found.hasSuffix(".index.json")
            ? try Self.shards(of: found) : [(found, nil as Set<String>?)]
        var tensors: [String: SourceTensor] = [:]
        for (file, names) in files {
            let read = try Self.tensors(of: file)
            for tensor in read {
                guard tensor.elementCount > 0 else {
                    throw ConversionError.unsupported(
                        path: file,
                        what: "the tensor '\(tensor.name)' of shape \(tensor.shape) has no "
                            + "elements; a checkpoint that was saved in parts has to be joined first"
                    )
                }
                if let other = tensors.updateValue(tensor, forKey: tensor.name) {
                    throw ConversionError.repeatedTensor(
                        path: file,
                        tensor: tensor.name,
                        other: other.path
                    )
                }
            }
            for name in names ?? [] where tensors[name]?.path != file {
                throw ConversionError.damaged(
                    path: found,
                    what: "the tensor '\(name)' should be in \(file), and is not"
                )
            }
        }
        self.path = found
        self.files = files.map(\.0)
        let wrapper =
            Self.wrappers.first { prefix in tensors.keys.allSatisfy { $0.hasPrefix(prefix) } } ?? ""
        self.tensors = Dictionary(
            uniqueKeysWithValues: tensors.map { (String($0.dropFirst(wrapper.count)), $1) }
        )
        origins = [Origin(prefix: "", original: wrapper, path: found)]
    }

    private init(
        path: String,
        files: [String],
        tensors: [String: SourceTensor],
        origins: [Origin]
    ) {
        self.path = path
        self.files = files
        self.tensors = tensors
        self.origins = origins
    }

    /// Checkpoints that are published apart, as one: each under a prefix.
    public static func joining(_ parts: [(prefix: String, checkpoint: Checkpoint)]) -> Checkpoint {
        var tensors: [String: SourceTensor] = [:]
        for (prefix, checkpoint) in parts {
            for (name, tensor) in checkpoint.tensors { tensors[prefix + name] = tensor }
        }
        return Checkpoint(
            path: parts.map(\.checkpoint.path).joined(separator: ", "),
            files: parts.flatMap(\.checkpoint.files),
            tensors: tensors,
            origins: parts.flatMap { part in
                part.checkpoint.origins.map {
                    Origin(prefix: part.prefix + $0.prefix, original: $0.original, path: $0.path)
                }
            }
        )
    }

    /// A tensor, or nil.
    public subscript(_ name: String) -> SourceTensor? { tensors[name] }

    /// The tensors whose names begin with a prefix, to be found without it.
    public func removingPrefix(_ prefix: String) -> Checkpoint {
        var kept: [String: SourceTensor] = [:]
        for (name, tensor) in tensors where name.hasPrefix(prefix) {
            kept[String(name.dropFirst(prefix.count))] = tensor
        }
        let origins = origins.compactMap { origin -> Origin? in
            let own = origin.prefix
            if own.hasPrefix(prefix) {
                let rest = String(own.dropFirst(prefix.count))
                return Origin(prefix: rest, original: origin.original, path: origin.path)
            }
            guard prefix.hasPrefix(own) else { return nil }
            let original = origin.original + prefix.dropFirst(own.count)
            return Origin(prefix: "", original: original, path: origin.path)
        }
        return Checkpoint(path: path, files: files, tensors: kept, origins: origins)
    }

    /// How many numbered modules there are any tensors of: one more than the greatest number, at least 1.
    func moduleCount(below prefix: String) -> Int {
        let numbers = tensors.keys.compactMap { name in
            name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
        }
        return (numbers.filter { 0..<1 << 16 ~= $0 }.max() ?? 0) + 1
    }

    /// The size of a tensor in one dimension, where no configuration states it.
    ///
    /// - Throws: `ConversionError.missingTensor`, and `.wrongShape` if there is no such dimension.
    func size(of name: String, in dimension: Int) throws(ConversionError) -> Int {
        guard let tensor = tensors[name] else { throw missing(name) }
        guard tensor.shape.count > dimension else {
            throw .wrongShape(
                path: tensor.path,
                tensor: tensor.name,
                expected: Array((tensor.shape + [1, 1, 1]).prefix(dimension + 1)),
                found: tensor.shape
            )
        }
        return tensor.shape[dimension]
    }

    /// Refuses tensors that are below none of some prefixes.
    ///
    /// - Throws: `ConversionError.unexpectedTensor`.
    func expectAll(below prefixes: [String]) throws(ConversionError) {
        let others = tensors.filter { name, _ in !prefixes.contains { name.hasPrefix($0) } }
        guard let other = others.min(by: { $0.key < $1.key })?.value else { return }
        throw .unexpectedTensor(path: other.path, tensor: other.name, found: other.shape)
    }

    /// The error for a tensor that is not there, under the name that its file would have it by; the shape
    /// is empty if nothing states it.
    func missing(_ name: String, _ expected: [Int] = []) -> ConversionError {
        guard let origin = origins.first(where: { name.hasPrefix($0.prefix) }) else {
            return .missingTensor(path: path, tensor: name, expected: expected)
        }
        return .missingTensor(
            path: origin.path,
            tensor: origin.original + name.dropFirst(origin.prefix.count),
            expected: expected
        )
    }

    private static func find(_ path: String) throws(ConversionError) -> String {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard exists else {
            throw .missingFile(path: path, what: "there is no such file or folder")
        }
        guard isFolder.boolValue else { return path }
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw .missingFile(path: path, what: "there is no permission to read the folder")
        }
        for name in fileNames where FileManager.default.fileExists(atPath: "\(path)/\(name)") {
            return "\(path)/\(name)"
        }
        // Apple's files are named after their models, Cobra's after the steps of their training.
        for folder in [path, "\(path)/checkpoints"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let found = names.filter { name in
                [".safetensors", ".pt", ".bin"].contains { name.hasSuffix($0) }
            }
            if found.count == 1 { return "\(folder)/\(found[0])" }
            guard found.isEmpty else {
                throw .missingFile(
                    path: folder,
                    what: "the folder has several checkpoints; give one of them: "
                        + found.sorted().joined(separator: ", ")
                )
            }
        }
        throw .missingFile(
            path: path,
            what: "the folder has no checkpoint: none of " + fileNames.joined(separator: ", ")
        )
    }

    /// The files that an index names, and the tensors that each should have.
    private static func shards(of index: String) throws -> [(String, Set<String>?)] {
        let map = try ModelSettings(path: index).below("weight_map")
        var names: [String: Set<String>] = [:]
        for (tensor, file) in map.json.members ?? [] {
            guard let name = file.string, !name.contains("/"), !name.isEmpty else {
                throw map.bad(tensor, "the name of a file in the same folder", file)
            }
            names[name, default: []].insert(tensor)
        }
        let folder = index.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        return names.sorted { $0.key < $1.key }
            .map { (folder.isEmpty ? $0.key : "\(folder)/\($0.key)", $0.value) }
    }

    private static func tensors(of path: String) throws -> [SourceTensor] {
        guard !path.hasSuffix(".json") else {
            throw ConversionError.unsupported(
                path: path,
                what: "a text about a model, not its checkpoint; name the folder"
            )
        }
        let file = try MappedFile(path: path)
        try StandIn.refuse(file)
        guard !file.bytes.starts(with: "GGUF".utf8) else {
            throw ConversionError.unsupported(
                path: path,
                what: "a GGUF file, which is used as it is; ocellus-kit quantize makes it smaller"
            )
        }
        let isSafetensors = path.hasSuffix(".safetensors")
        return isSafetensors
            ? try SafetensorsReader.tensors(of: file) : try PyTorchReader.tensors(of: file)
    }
}
