// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A model as someone downloaded it: a checkpoint, its configuration, and the files beside them.
public struct PublishedModel {
    /// The folder.
    public let folder: String
    /// The tensors.
    public let checkpoint: Checkpoint
    /// What config.json says, or the file of that kind that is named as the checkpoint.
    public let settings: ModelSettings

    /// Opens a folder, or a checkpoint with the configuration in the same folder or the one above.
    ///
    /// - Throws: `ConversionError`, and `ModelFileError.cannotOpen`.
    public init(path: String) throws {
        checkpoint = try Checkpoint(path: path)
        let folders = [
            path, Self.folder(of: checkpoint.path), Self.folder(of: checkpoint.path) + "/..",
        ]
        var names = ["config.json", "open_clip_config.json"]
        // Some folders have the files of both libraries.
        let file = checkpoint.path.split(separator: "/").last ?? ""
        if file.hasPrefix("open_clip_") { names.reverse() }
        if let name = Self.ownConfiguration(of: checkpoint.path) { names.insert(name, at: 0) }
        let found = folders.lazy.flatMap { folder in names.map { (folder, $0) } }
            .first { FileManager.default.fileExists(atPath: "\($0)/\($1)") }
        guard let found else {
            throw ConversionError.missingFile(
                path: path,
                what: "there is no config.json beside the checkpoint"
            )
        }
        folder = found.0
        settings = try ModelSettings(path: "\(found.0)/\(found.1)")
    }

    /// The name of a checkpoint's configuration where several are in one folder, as Apple has it; nil for an
    /// index of shards.
    private static func ownConfiguration(of path: String) -> String? {
        guard !path.hasSuffix(".json"), let file = path.split(separator: "/").last else {
            return nil
        }
        return file.split(separator: ".").dropLast().joined(separator: ".") + ".json"
    }

    /// The folder of a path.
    static func folder(of path: String) -> String {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        return folder.isEmpty ? "." : folder
    }

    /// The licence that README.md states, or nil.
    var license: String? { ModelCard(path: "\(folder)/README.md")?.license }
}
