// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusCommand

/// Makes a folder, and those above it, unless it is there.
func makeFolder(_ path: String) throws {
    try writing(to: path) {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
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
