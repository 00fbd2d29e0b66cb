// SPDX-License-Identifier: Apache-2.0
import CLibc

/// The pictures of a folder.
enum Folder {
    private static let endings = [".jpg", ".jpeg", ".png", ".ppm", ".pgm"]

    /// The paths of the files that are named like pictures, in natural order; hidden files and
    /// folders in it are left out.
    ///
    /// The corresponding C calls are `opendir` and `readdir`.
    ///
    /// - Throws: `CaptureError.unreadable` or `CaptureError.emptyFolder`.
    static func pictures(in path: String) throws(CaptureError) -> [String] {
        guard let folder = unsafe opendir(path) else {
            throw .unreadable(path: path, reason: SystemError.reason())
        }
        defer { unsafe _ = closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            // Safety: the name ends with a zero, and is copied before the next call.
            let name = unsafe String(cString: clibc_entry_name(entry))
            if isPicture(name) { names.append(name) }
        }
        if names.isEmpty { throw .emptyFolder(path: path) }
        names.sort { NaturalOrder.precedes($0, $1) }
        let prefix = path.utf8.last == UInt8(ascii: "/") ? path : path + "/"
        return names.map { prefix + $0 }
    }

    private static func isPicture(_ name: String) -> Bool {
        if name.utf8.first == UInt8(ascii: ".") { return false }
        return endings.contains { ending in
            name.utf8.count > ending.utf8.count
                && zip(name.utf8.reversed(), ending.utf8.reversed()).allSatisfy {
                    $0 | 0x20 == $1 | 0x20
                }
        }
    }
}
