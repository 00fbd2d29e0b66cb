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

    /// Makes the bytes durable and puts the file in its place.
    ///
    /// The corresponding C calls are `fsync` of the file, `rename`, and `fsync` of the folder.
    ///
    /// - Throws: `ModelFileError.cannotWrite`; the target is then as it was.
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
        fsync(folderDescriptor)
        close(folderDescriptor)
    }
}
