// SPDX-License-Identifier: Apache-2.0
import CLibc

/// Reads files into memory, at most so many bytes.
///
/// Pictures are read, not mapped: a file that another program shortens meanwhile gives an error, not
/// a signal.
enum FileContents {
    /// The bytes that a picture's file may have.
    static let limit = 256 << 20

    /// The first bytes of a file.
    ///
    /// The corresponding C calls are `open`, `fstat` and `read`.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - count: how many bytes are wanted; nil for all of them.
    /// - Returns: as many of them as the file has.
    /// - Throws: `ImageError.unreadable` with the system's reason, or if the file is a folder or a
    ///   device; `ImageError.fileTooLarge` if all bytes are wanted and exceed `limit`.
    static func read(_ path: String, first count: Int? = nil) throws(ImageError) -> [UInt8] {
        let descriptor = unsafe clibc_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw .unreadable(path: path, reason: systemReason())
        }
        guard clibc_is_file(status.st_mode) != 0 else {
            throw .unreadable(path: path, reason: "it is not a file")
        }
        let fileByteCount = Int(status.st_size)
        if count == nil, fileByteCount > limit {
            throw .fileTooLarge(path: path, byteCount: fileByteCount, limit: limit)
        }
        let wantedByteCount = min(fileByteCount, count ?? limit)
        var failed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: wantedByteCount) { buffer, filled in
            while filled < wantedByteCount, let base = buffer.baseAddress {
                // Safety: the buffer has room for wantedByteCount bytes.
                let got = unsafe CLibc.read(descriptor, base + filled, wantedByteCount - filled)
                if got < 0, clibc_errno() == EINTR { continue }
                failed = got < 0
                if got <= 0 { break }
                filled += got
            }
        }
        if failed { throw .unreadable(path: path, reason: systemReason()) }
        return bytes
    }

    /// The text for the last error of the C library.
    private static func systemReason() -> String {
        // Safety: strerror returns a string, for unknown numbers too.
        unsafe String(cString: strerror(clibc_errno()))
    }
}
