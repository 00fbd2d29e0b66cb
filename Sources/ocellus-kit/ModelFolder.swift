// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusCommand

/// Whether a path is a folder.
func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        && isFolder.boolValue
}

/// The names of the files of a model: decoder.gguf, vision.gguf, or both.
///
/// - Throws: `CommandError` with the exit code for files that are not there.
func modelFiles(in folder: String) throws -> [String] {
    // A link to nothing counts: opening it tells what is wrong.
    let names = ["decoder.gguf", "vision.gguf"].filter {
        (try? FileManager.default.attributesOfItem(atPath: "\(folder)/\($0)")) != nil
    }
    if names.isEmpty {
        throw CommandError(.noInput, "\(folder): the folder has no decoder.gguf or vision.gguf")
    }
    return names
}
