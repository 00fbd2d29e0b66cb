// SPDX-License-Identifier: Apache-2.0
import CLibc
public import OcellusImage
import OcellusMemory

/// Keeps JPEGs of frames in a folder, within a budget of bytes: the oldest make room for new ones.
///
/// A frame's file appears whole or not at all. What an earlier run kept is found again and counts; a
/// file whose name is not one of the archive's own is never touched. A folder serves one archive at a
/// time.
///
/// It holds no list of its files, which would grow: it looks through the folder at the start and when
/// room is needed.
@safe
public final class FrameArchive {
    /// The folder, as the user named it.
    public let folder: String
    /// The bytes that all files together may take.
    public let budget: Int
    /// The bytes that they take.
    public private(set) var byteCount = 0
    /// The count of files.
    public private(set) var fileCount = 0

    private let encoder: JPEGEncoder
    private let directory: OpaquePointer
    private var nextNumber = 0

    /// The quality of the JPEGs.
    private static let quality = 85
    /// The count of files that one look through the folder can remove.
    private static let removalLimit = 32

    /// Opens a folder, which is made if it is not there, and counts what is kept in it.
    ///
    /// Files that were being written when a run was cut off are removed.
    ///
    /// The corresponding C calls are those of `prepare`, `opendir`, `readdir` and `fstatat`.
    ///
    /// - Parameters:
    ///   - folder: where the files are.
    ///   - budget: the bytes that they may take; more are removed at once.
    ///   - maximumFrame: the largest frame.
    /// - Throws: `FrameArchiveError.unusableFolder`, `.cannotWrite` or `.image`.
    public init(
        folder: String,
        budget: Int,
        maximumFrame: ImageSize
    ) throws(FrameArchiveError) {
        do throws(ImageError) {
            encoder = try JPEGEncoder(maximum: maximumFrame)
        } catch {
            throw .image(error)
        }
        try FrameArchive.prepare(folder)
        guard let directory = unsafe opendir(folder) else {
            throw .unusableFolder(path: folder, reason: FrameArchive.systemReason())
        }
        self.folder = folder
        self.budget = budget
        unsafe self.directory = directory
        var leftovers: [String] = []
        look { name in
            if ArchivedName(partial: name) != nil { leftovers.append(name) }
        } archived: { name, _ in
            nextNumber = max(nextNumber, name.number + 1)
        }
        for name in leftovers { try remove(name) }
        try makeRoom(for: 0)
    }

    deinit { unsafe _ = closedir(directory) }

    /// Makes a folder, unless it is there, and makes sure that files can be written in it.
    ///
    /// The corresponding C calls are `mkdir` and `access`.
    ///
    /// - Throws: `FrameArchiveError.unusableFolder`.
    public static func prepare(_ folder: String) throws(FrameArchiveError) {
        let isThere = unsafe mkdir(folder, 0o755) == 0 || clibc_errno() == EEXIST
        // A path with a slash behind it is that of a folder.
        guard isThere, unsafe access(folder + "/", R_OK | W_OK | X_OK) == 0 else {
            throw .unusableFolder(path: folder, reason: systemReason())
        }
    }

    /// Keeps a frame.
    ///
    /// The corresponding C calls are `openat`, `write`, `fdatasync` and `renameat`.
    ///
    /// - Parameters:
    ///   - frame: the picture.
    ///   - answer: what was answered about it, for the name.
    ///   - time: when it was taken, in nanoseconds since 1970, for the name.
    /// - Returns: the name of the file in the folder.
    /// - Throws: `FrameArchiveError.budgetTooSmall`, `.cannotWrite` when the disk is full for example,
    ///   or `.image`. What was kept before stays.
    public func save(
        _ frame: Frame,
        answer: String,
        nanosecondsSince1970 time: Int64
    ) throws(FrameArchiveError) -> String {
        let jpeg: Bytes
        do throws(ImageError) {
            jpeg = try encoder.encode(frame, quality: FrameArchive.quality)
        } catch {
            throw .image(error)
        }
        guard jpeg.count <= budget else {
            throw .budgetTooSmall(neededBytes: jpeg.count, budget: budget)
        }
        try makeRoom(for: jpeg.count)
        let name = ArchivedName(number: nextNumber, nanosecondsSince1970: time, answer: answer)
        try write(jpeg, as: name)
        nextNumber += 1
        byteCount += jpeg.count
        fileCount += 1
        return name.text
    }

    /// Removes the oldest files until so many bytes fit into the budget.
    private func makeRoom(for newByteCount: Int) throws(FrameArchiveError) {
        while byteCount + newByteCount > budget, fileCount > 0 {
            var oldest: [(name: ArchivedName, byteCount: Int)] = []
            look { _ in
            } archived: { name, byteCount in
                // Sorted by insertion: the list is short.
                let position = oldest.firstIndex { $0.name.number > name.number } ?? oldest.count
                guard position < FrameArchive.removalLimit else { return }
                if oldest.count == FrameArchive.removalLimit { oldest.removeLast() }
                oldest.insert((name, byteCount), at: position)
            }
            for file in oldest where byteCount + newByteCount > budget {
                try remove(file.name.text)
                byteCount -= file.byteCount
                fileCount -= 1
            }
        }
    }

    /// Looks through the folder and counts the archive's files anew.
    private func look(other: (String) -> Void, archived: (ArchivedName, Int) -> Void) {
        byteCount = 0
        fileCount = 0
        unsafe rewinddir(directory)
        while let entry = unsafe readdir(directory) {
            // Safety: the name ends with a zero, and is copied before the next call.
            let text = unsafe String(cString: clibc_entry_name(entry))
            guard let name = ArchivedName(text) else {
                other(text)
                continue
            }
            var status = stat()
            guard unsafe fstatat(dirfd(directory), text, &status, AT_SYMLINK_NOFOLLOW) == 0,
                clibc_is_file(status.st_mode) != 0
            else { continue }
            byteCount += Int(status.st_size)
            fileCount += 1
            archived(name, Int(status.st_size))
        }
    }

    private func remove(_ name: String) throws(FrameArchiveError) {
        guard unsafe unlinkat(dirfd(directory), name, 0) == 0 || clibc_errno() == ENOENT else {
            throw .cannotWrite(path: folder + "/" + name, reason: FrameArchive.systemReason())
        }
    }

    private func write(_ bytes: Bytes, as name: ArchivedName) throws(FrameArchiveError) {
        let partialName = name.partialText
        let file = unsafe clibc_openat(
            dirfd(directory),
            partialName,
            O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
            0o644
        )
        guard file >= 0 else {
            throw .cannotWrite(path: folder + "/" + name.text, reason: FrameArchive.systemReason())
        }
        var written = 0
        while written < bytes.count {
            // Safety: the rest of the bytes.
            let count = unsafe CLibc.write(file, bytes.base + written, bytes.count - written)
            if count < 0, clibc_errno() == EINTR { continue }
            if count <= 0 { break }
            written += count
        }
        let isWhole = written == bytes.count && fdatasync(file) == 0
        let folderFile = unsafe dirfd(directory)
        if isWhole, unsafe renameat(folderFile, partialName, folderFile, name.text) == 0 {
            close(file)
            return
        }
        let reason = FrameArchive.systemReason()
        close(file)
        unsafe unlinkat(folderFile, partialName, 0)
        throw .cannotWrite(path: folder + "/" + name.text, reason: reason)
    }

    /// The text for the last error of the C library.
    private static func systemReason() -> String {
        // Safety: strerror returns a string, for unknown numbers too.
        unsafe String(cString: strerror(clibc_errno()))
    }
}
