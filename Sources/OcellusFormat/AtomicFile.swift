// SPDX-License-Identifier: Apache-2.0
import CLibc

/// A file that appears whole or not at all.
///
/// Bytes go to a temporary file beside the target; `commit` makes them durable and renames it over
/// the target. Without `commit` the temporary file is removed and the target stays as it was.
@safe
public struct AtomicFile: ~Copyable {
    private let path: String
    private let temporaryPath: String
    private var descriptor: CInt

    /// Creates the temporary file.
    ///
    /// The corresponding C call is `open(O_CREAT | O_EXCL)`.
    ///
    /// - Throws: `ModelFileError.cannotWrite` if the folder is missing or not writable.
    public init(path: String) throws(ModelFileError) {
        let temporaryPath = "\(path).\(getpid()).partial"
        // A file of this name can only be left over from a process that died.
        unsafe unlink(temporaryPath)
        descriptor = unsafe clibc_open(
            temporaryPath,
            O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
            0o644
        )
        guard descriptor >= 0 else {
            throw .cannotWrite(path: path, reason: systemErrorText())
        }
        self.path = path
        self.temporaryPath = temporaryPath
    }

    /// Opens the temporary file `PATH.partial`, and keeps the bytes that another process has left in it.
    ///
    /// The corresponding C calls are `open(O_CREAT)`, `lockf`, `fstat`, `read` and `ftruncate`.
    ///
    /// - Parameters:
    ///   - path: The target.
    ///   - byteCount: How many bytes to keep.
    ///   - beginning: What the first of them must be; otherwise none is kept.
    ///   - kept: Whether they are kept.
    /// - Throws: `ModelFileError.cannotWrite`, also if another process has the file open.
    package init(
        goingOn path: String,
        after byteCount: Int,
        beginningWith beginning: [UInt8],
        kept: inout Bool
    ) throws(ModelFileError) {
        let temporaryPath = "\(path).partial"
        let descriptor = unsafe clibc_open(temporaryPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw .cannotWrite(path: path, reason: systemErrorText())
        }
        guard lockf(descriptor, F_TLOCK, 0) == 0 else {
            close(descriptor)
            throw .cannotWrite(path: path, reason: "another process writes \(temporaryPath)")
        }
        var status = stat()
        kept =
            unsafe fstat(descriptor, &status) == 0 && status.st_size >= byteCount
            && Self.begins(descriptor, with: beginning)
        let length = off_t(kept ? byteCount : 0)
        let isReady =
            ftruncate(descriptor, length) == 0 && lseek(descriptor, length, SEEK_SET) == length
        guard isReady else {
            let reason = systemErrorText()
            close(descriptor)
            throw .cannotWrite(path: path, reason: reason)
        }
        self.descriptor = descriptor
        self.path = path
        self.temporaryPath = temporaryPath
    }

    private static func begins(_ descriptor: CInt, with beginning: [UInt8]) -> Bool {
        var found = [UInt8](repeating: 0, count: beginning.count)
        var start = 0
        while start < found.count {
            // Safety: the rest of the array.
            let count = unsafe found.withUnsafeMutableBytes { buffer in
                unsafe pread(
                    descriptor,
                    buffer.baseAddress?.advanced(by: start),
                    buffer.count - start,
                    off_t(start)
                )
            }
            guard count > 0 else { return false }
            start += count
        }
        return found == beginning
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unsafe unlink(temporaryPath)
    }

    /// Appends bytes.
    ///
    /// The corresponding C call is `write`.
    ///
    /// - Throws: `ModelFileError.cannotWrite`, for example when the disk is full.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ModelFileError) {
        var written = 0
        while written < bytes.count {
            // Safety: the rest of the caller's buffer.
            let count = unsafe CLibc.write(
                descriptor,
                bytes.baseAddress?.advanced(by: written),
                bytes.count - written
            )
            if count < 0 && clibc_errno() == EINTR { continue }
            guard count > 0 else { throw .cannotWrite(path: path, reason: systemErrorText()) }
            written += count
        }
    }

    /// Appends bytes, as the other method does.
    public mutating func write(_ bytes: [UInt8]) throws(ModelFileError) {
        // Safety: the pointer is used within the closure only.
        try unsafe bytes.span.bytes.withUnsafeBytes { (buffer) throws(ModelFileError) in
            try unsafe write(buffer)
        }
    }

    /// Makes the bytes so far durable.
    ///
    /// The corresponding C call is `fsync`.
    ///
    /// - Throws: `ModelFileError.cannotWrite`.
    package func synchronize() throws(ModelFileError) {
        guard fsync(descriptor) == 0 else {
            throw .cannotWrite(path: path, reason: systemErrorText())
        }
    }

    /// Closes the temporary file and leaves it where it is.
    package mutating func suspend() {
        close(descriptor)
        descriptor = -1
    }

    /// Makes the bytes durable and puts the file in its place.
    ///
    /// The corresponding C calls are `fsync` of the file, `rename`, and `fsync` of the folder.
    ///
    /// - Throws: `ModelFileError.cannotWrite`; the target is then as it was, or, if only its folder
    ///   failed, new but not yet durable.
    public consuming func commit() throws(ModelFileError) {
        guard fsync(descriptor) == 0, unsafe rename(temporaryPath, path) == 0 else {
            throw .cannotWrite(path: path, reason: systemErrorText())
        }
        close(descriptor)
        descriptor = -1
        var folder = Array(path.utf8)
        while let last = folder.last, last != UInt8(ascii: "/") { folder.removeLast() }
        let folderPath = folder.isEmpty ? "." : String(decoding: folder, as: UTF8.self)
        let folderDescriptor = unsafe clibc_open(folderPath, O_RDONLY | O_CLOEXEC, 0)
        guard folderDescriptor >= 0 else { return }
        defer { close(folderDescriptor) }
        // EINVAL: a file system without it.
        guard fsync(folderDescriptor) == 0 || clibc_errno() == EINVAL else {
            throw .cannotWrite(path: path, reason: systemErrorText())
        }
    }
}
