// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusCommand

/// Runs a body that writes into a folder, which is made if it is missing, with those above it.
///
/// If there is not enough space, or the body fails, the folders that were made and are empty are
/// removed again.
///
/// - Parameters:
///   - path: The folder.
///   - byteCount: The size of all tensors that will be written; 0 if little is.
///   - body: What writes.
/// - Returns: What the body returns.
/// - Throws: `CommandError` with the exit code for results that cannot be written, and what the body throws.
func writing<Value>(
    into path: String,
    byteCount: Int = 0,
    _ body: () throws -> Value
) throws -> Value {
    let missing = try folders(missingIn: path).missing
    do {
        try writing(to: path) {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        if byteCount > 0 { try requireSpace(byteCount, in: path) }
        return try body()
    } catch {
        // Fails for a folder that is not empty.
        for path in missing where unsafe rmdir(path) != 0 { break }
        throw error
    }
}

/// The folders of a path that would have to be made, the lowest first, and the one above them.
///
/// - Throws: `CommandError` with the exit code for results that cannot be written, if that is a file.
func folders(missingIn path: String) throws -> (missing: [String], existing: String) {
    var missing: [String] = []
    var folder = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
    while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
        missing.append(folder.path)
        folder.deleteLastPathComponent()
    }
    guard isFolder(folder.path) else {
        let file = missing.isEmpty ? path : folder.path
        throw CommandError(.cannotWrite, "\(file): is a file, where a folder should be")
    }
    return (missing, folder.path)
}

/// Refuses what a file would replace and that is none: a folder, or a device such as /dev/null.
///
/// - Throws: `CommandError` with the exit code for results that cannot be written.
func requireNoOther(thanFile path: String) throws {
    var status = stat()
    // Safety: the structure is written to before it is read.
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
    throw CommandError(.cannotWrite, "\(path): cannot be written: it is not a regular file")
}

/// Refuses what could not be written to a folder that is there.
///
/// - Throws: `CommandError` with the exit code for results that cannot be written.
func requireRoom(_ byteCount: Int, in folder: String) throws {
    guard FileManager.default.isWritableFile(atPath: folder) else {
        throw CommandError(.cannotWrite, "\(folder): there is no permission to write there")
    }
    try requireSpace(byteCount, in: folder)
}

/// Refuses to start what would fill the disk.
///
/// - Parameters:
///   - byteCount: The size of all tensors that will be written.
///   - folder: Where.
/// - Throws: `CommandError` with the exit code for results that cannot be written.
func requireSpace(_ byteCount: Int, in folder: String) throws {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
    guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.intValue else { return }
    // Headers hold the vocabulary; 64 MiB are more than any has.
    let needed = byteCount + (64 << 20)
    if free < needed {
        throw CommandError(
            .cannotWrite,
            "\(folder): \(needed) bytes are needed and \(free) are free"
        )
    }
}
