// SPDX-License-Identifier: Apache-2.0
import CLibc
public import Ocellus

/// Keeps the state of a session in a file, so that a power cut loses at most one interval.
///
/// The file is replaced whole: written beside, made durable, renamed. At the start it is restored; a
/// file that cannot be is never overwritten.
public struct StateKeeper {
    /// What was found at the start.
    public enum Found: Sendable {
        /// There is no file yet.
        case nothing
        /// The session goes on where it was saved, with what was saved beside it.
        case restored(supplement: [UInt8])
        /// The file is damaged. It has another name now, and the session starts empty.
        case damaged(StateFault, movedTo: String)
    }

    /// The file, which is no symbolic link.
    public let path: String
    /// The time between two saves, in nanoseconds.
    public let interval: Int64
    private var dueMoment: Int64
    /// The frames that the session had seen at the last save.
    private var savedFrames = 0
    /// Whether the supplement has changed since.
    private var hasNews = false

    /// Keeps a state in a file from now on: that to which `path` leads.
    public init(path: String, interval: Duration) {
        self.path = StateKeeper.linkedFile(path)
        self.interval = max(1, interval.wholeNanoseconds)
        dueMoment = monotonicNanoseconds() + self.interval
    }

    /// The file to which a path leads, there or not: the path itself, if it is no symbolic link.
    ///
    /// The corresponding C call is `readlink`. A file that is replaced under the name of a link would
    /// take the link's place.
    public static func linkedFile(_ path: String) -> String {
        var file = path
        for _ in 0..<40 {  // as many as the kernel follows
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            // Safety: the buffer's own size.
            let length = unsafe readlink(file, &target, target.count)
            guard length > 0 else { break }
            let name = String(
                decoding: target[..<length].map { UInt8(bitPattern: $0) },
                as: UTF8.self
            )
            file = name.utf8.first == UInt8(ascii: "/") ? name : folder(of: file) + name
        }
        return file
    }

    /// The folder of a file, with a slash behind it.
    public static func folder(of path: String) -> String {
        let bytes = Array(path.utf8)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "./" }
        return String(decoding: bytes[...slash], as: UTF8.self)
    }

    /// Why a state could not be saved, as the system puts it; nil if it probably can be.
    ///
    /// The corresponding C call is `access` on the folder, which is where the file is replaced.
    public func reasonAgainstSaving() -> String? {
        var status = stat()
        if unsafe stat(path, &status) == 0, clibc_is_folder(status.st_mode) != 0 {
            return unsafe String(cString: strerror(EISDIR))
        }
        guard unsafe access(StateKeeper.folder(of: path), W_OK | X_OK) != 0 else { return nil }
        // Safety: strerror returns a string, for unknown numbers too.
        return unsafe String(cString: strerror(clibc_errno()))
    }

    /// Restores the state that the file has.
    ///
    /// - Throws: `OcellusError.state` for a whole file that is of another model, memory or version, or
    ///   no state at all, and for a damaged one that cannot be renamed; `.model` for a file that
    ///   cannot be read. The session is then as before.
    public func restore(_ session: inout Session) throws(OcellusError) -> Found {
        removeLeftovers()
        var status = stat()
        if unsafe stat(path, &status) != 0, clibc_errno() == ENOENT { return .nothing }
        do throws(OcellusError) {
            return .restored(supplement: try session.restore(fromFile: path))
        } catch {
            guard case .state(_, let fault) = error, fault.isDamage,
                let name = moveAside()
            else { throw error }
            return .damaged(fault, movedTo: name)
        }
    }

    /// Whether the interval is over.
    var isDue: Bool { monotonicNanoseconds() >= dueMoment }

    /// The supplement has changed; what is urgent makes a save due at once.
    mutating func noteNews(isUrgent: Bool) {
        hasNews = true
        if isUrgent { dueMoment = .min }
    }

    /// Saves the state, unless the session has seen nothing new.
    ///
    /// A new interval then begins.
    ///
    /// - Parameters:
    ///   - session: the session.
    ///   - supplement: what is saved beside it, a multiple of 8 bytes.
    /// - Returns: whether it was saved.
    /// - Throws: `OcellusError.model` with `ModelFileError.cannotWrite`; the file is then as it was.
    @discardableResult
    public mutating func save(
        _ session: borrowing Session,
        supplement: [UInt8] = []
    ) throws(OcellusError) -> Bool {
        // The next interval begins where this save ends: one that takes as long leaves time for frames.
        defer { dueMoment = monotonicNanoseconds() + interval }
        let seen = session.statistics.framesSeen
        guard seen != savedFrames || hasNews else { return false }
        try session.save(toFile: path, supplement: supplement)
        savedFrames = seen
        hasNews = false
        return true
    }

    /// Renames the file to the first free of `FILE.damaged`, `FILE.damaged.2`, ...
    private func moveAside() -> String? {
        for number in 1...1000 {
            let name = path + (number == 1 ? ".damaged" : ".damaged.\(number)")
            if unsafe access(name, F_OK) == 0 { continue }
            return unsafe rename(path, name) == 0 ? name : nil
        }
        return nil
    }

    /// Removes what a save left that a power cut interrupted: `FILE.PROCESS.partial`.
    private func removeLeftovers() {
        let bytes = Array(path.utf8)
        let folder = StateKeeper.folder(of: path)
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        let name = Array(bytes[(slash.map { $0 + 1 } ?? 0)...])
        guard let stream = unsafe opendir(folder) else { return }
        defer { unsafe _ = closedir(stream) }
        // Safety: the entry is valid until the next call.
        while let entry = unsafe readdir(stream) {
            let found = unsafe String(cString: clibc_entry_name(entry))
            guard isLeftover(Array(found.utf8), of: name) else { continue }
            unsafe unlink(folder + found)
        }
    }

    private func isLeftover(_ found: [UInt8], of name: [UInt8]) -> Bool {
        let end = Array(".partial".utf8)
        guard found.count > name.count + 1 + end.count, found.starts(with: name),
            found[name.count] == UInt8(ascii: "."), found.suffix(end.count).elementsEqual(end)
        else { return false }
        return found[(name.count + 1)..<(found.count - end.count)].allSatisfy {
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
        }
    }
}
