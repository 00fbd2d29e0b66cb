// SPDX-License-Identifier: Apache-2.0
import CLibc

/// A regular file, mapped read-only and shared; unmapped with its owner.
///
/// A class, because Embedded Swift cannot destroy a non-copyable struct with a `deinit` that is not
/// public where it is a member of a struct from another module (`ModelFile`).
///
/// A program that shortens the file while it is mapped makes the next access fail with SIGBUS, as
/// with every mapping; programs that replace a file (write beside it, then rename) do no harm.
@safe
package final class MappedFile {
    package let path: String
    package let bytes: UnsafeRawBufferPointer

    /// Maps a file.
    ///
    /// The corresponding C calls are `open`, `fstat` and `mmap`.
    ///
    /// - Throws: `ModelFileError.cannotOpen` if there is no such regular file, it is not readable,
    ///   or it is larger than the address space; `.outOfMemory` if the process has no room for it;
    ///   `.empty` if it has no bytes.
    package init(path: String) throws(ModelFileError) {
        // O_NONBLOCK: opening a FIFO returns at once; it is refused below.
        let descriptor = unsafe clibc_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard descriptor >= 0 else {
            throw .cannotOpen(path: path, reason: systemErrorText())
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw .cannotOpen(path: path, reason: systemErrorText())
        }
        guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) else {
            throw .cannotOpen(path: path, reason: "it is not a regular file")
        }
        guard let byteCount = Int(exactly: status.st_size) else {
            throw .cannotOpen(path: path, reason: "it is larger than the address space")
        }
        guard byteCount > 0 else {
            throw .empty(path: path)
        }
        // Safety: a fresh read-only mapping of byteCount bytes, checked before use.
        let base = unsafe mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let base = unsafe base, unsafe base != clibc_map_failed() else {
            throw clibc_errno() == ENOMEM
                ? .outOfMemory(path: path, neededBytes: byteCount)
                : .cannotOpen(path: path, reason: systemErrorText())
        }
        self.path = path
        unsafe bytes = UnsafeRawBufferPointer(start: base, count: byteCount)
    }

    deinit {
        guard let base = unsafe bytes.baseAddress else { return }
        // Safety: the mapping of `init`, and no view may outlive its owner.
        unsafe munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }

    /// The size of the file.
    var byteCount: Int { unsafe bytes.count }

    /// A cursor at the first byte, to be used while this file is alive.
    var cursor: ByteCursor {
        unsafe ByteCursor(path: path, bytes: bytes)  // Safety: the mapping of `init`.
    }

    /// Tells the system that a range will not be read soon.
    ///
    /// The C call is `madvise(MADV_DONTNEED)`, which drops the pages of a read-only mapping from
    /// memory, and maps them again at the next access.
    package func release(_ range: Range<Int>) {
        // The greatest size of a page that Linux has on any processor that we know.
        let start = range.lowerBound & ~0xFFFF
        guard let base = unsafe bytes.baseAddress, range.upperBound <= byteCount else { return }
        // Safety: within the mapping of `init`, which is aligned to pages; advice changes no byte.
        unsafe madvise(
            UnsafeMutableRawPointer(mutating: base + start),
            range.upperBound - start,
            MADV_DONTNEED
        )
    }

    /// Tells the system that all pages will be read soon.
    ///
    /// The C call is `madvise(MADV_WILLNEED)`.
    func prefetch() {
        guard let base = unsafe bytes.baseAddress else { return }
        // Safety: the mapping of `init`; advice changes no byte.
        unsafe madvise(UnsafeMutableRawPointer(mutating: base), bytes.count, MADV_WILLNEED)
    }
}

/// What went wrong in the last call of libc, in words.
func systemErrorText() -> String {
    // Safety: strerror gives a terminated string, copied at once.
    unsafe String(cString: strerror(clibc_errno()))
}
