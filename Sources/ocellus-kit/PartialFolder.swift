// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusCapture
import OcellusCommand

/// Where files are written that appear in their folder together, or not at all.
///
/// It is `.NAME.partial` in that folder, or beside it if that is new. What a killed process has left
/// there, the next one removes.
struct PartialFolder {
    /// The folder to write to, as the user named it.
    private let target: String
    private let path: String
    private let stop: StopSignal

    /// Adds a file.
    ///
    /// - Parameters:
    ///   - data: Its bytes.
    ///   - name: Its name in the folder.
    /// - Throws: `CommandError` if the file cannot be written or a signal has come.
    func add(_ data: Data, named name: String) throws {
        try heedSignals()
        let descriptor = unsafe open("\(path)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw unwritable(name) }
        defer { close(descriptor) }
        try data.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                // Safety: the rest of the bytes.
                let rest = unsafe bytes.baseAddress?.advanced(by: written)
                let count = unsafe write(descriptor, rest, bytes.count - written)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw unwritable(name) }
                written += count
            }
        }
    }

    /// Ends the work once a signal has come.
    ///
    /// - Throws: `CommandError` with the exit code for work that was interrupted.
    func heedSignals() throws { try stop.heed(writing: target) }

    /// Makes the folder, or empties the one of a process that is no more.
    fileprivate static func make(
        _ path: String,
        for target: String,
        until stop: StopSignal
    ) throws -> (folder: PartialFolder, lock: CInt) {
        let folder = PartialFolder(target: target, path: path, stop: stop)
        guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else { throw folder.unwritable() }
        let lock = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard lock >= 0 else { throw folder.unwritable() }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            close(lock)
            throw CommandError(.cannotWrite, "\(target): another process writes into it")
        }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
        return (folder, lock)
    }

    fileprivate func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Becomes the folder, which is new.
    fileprivate func putInPlace() throws {
        guard unsafe rename(path, target) == 0 else { throw unwritable() }
    }

    /// Moves the files into the folder, over those of the same names.
    fileprivate func moveFiles() throws {
        var names: [String] = []
        try writing(to: target) {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        }
        for name in names {
            var status = stat()
            let isThere = unsafe lstat("\(target)/\(name)", &status) == 0
            guard !isThere || status.st_mode & S_IFMT != S_IFDIR else {
                errno = EISDIR
                throw unwritable(name)
            }
        }
        for name in names {
            guard unsafe rename("\(path)/\(name)", "\(target)/\(name)") == 0 else {
                throw unwritable(name)
            }
        }
    }

    /// The last error of the system, about the folder or a file in it.
    private func unwritable(_ name: String? = nil) -> CommandError {
        // Safety: strerror returns a string, for unknown numbers too.
        let reason = unsafe String(cString: strerror(errno))
        let place = name.map { "\(target)/\($0)" } ?? target
        return CommandError(.cannotWrite, "\(place): cannot be written: \(reason)")
    }
}

/// Runs a body that writes files, of which all appear in a folder, or none.
///
/// None appears either if SIGINT or SIGTERM comes before all are written.
///
/// - Parameters:
///   - path: The folder, made if it is missing.
///   - body: What writes, into the folder that it is given.
/// - Returns: What the body returns.
/// - Throws: As `writing(into:)`, and `CommandError` if a signal has come.
func writingTogether<Value>(
    into path: String,
    _ body: (PartialFolder) throws -> Value
) throws -> Value {
    let stop = try describing { try StopSignal.ofProcess() }
    let folder = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
    let isNew = !FileManager.default.fileExists(atPath: path)
    let place = isNew ? folder.deletingLastPathComponent().path : folder.path
    return try writing(into: place) {
        let (partial, lock) = try PartialFolder.make(
            "\(place)/.\(folder.lastPathComponent).partial",
            for: path,
            until: stop
        )
        defer { close(lock) }
        defer { partial.remove() }
        let value = try body(partial)
        try partial.heedSignals()
        if isNew { try partial.putInPlace() } else { try partial.moveFiles() }
        return value
    }
}
