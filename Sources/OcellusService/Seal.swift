// SPDX-License-Identifier: Apache-2.0
import CLibc

/// Keeps a process, after its start, at the memory that it has and at the files and programs that it
/// declared.
///
///     var seal = try Seal(declaration)     // before any thread is started
///     ...                                  // open the model and the source, answer once
///     try seal.close(reserve: 1 << 20)     // from here on it is true
///
/// Three protections of the kernel, each with what it is for:
///
/// - limits (RLIMIT_DATA, RLIMIT_AS): memory. A refused allocation ends the process with exit code 71.
/// - Landlock: opening by path. A refused path is `Permission denied`, as if the user had no right.
/// - seccomp: starting programs, sockets, new code, higher limits, and opening at all if nothing was
///   declared. A refused call is `Operation not permitted`.
///
/// Children would inherit all three. So declared programs are started by a small helper process, which
/// is forked before; once the seal is closed it starts those command lines and no others.
public struct Seal {
    private let declaration: SealDeclaration
    private let landlockVersion: Int32
    private var memoryByteCount = 0
    private var refusesCalls = false

    /// The bytes that drivers may map anew when a camera is plugged in again.
    private static let deviceByteCount = 32 << 20

    /// Restricts the files, and starts the helper if programs were declared.
    ///
    /// - Precondition: the process has one thread; others would not be restricted.
    /// - Throws: `SealError.path` for a path that is not there, `.refused`, `.outOfMemory`.
    public init(_ declaration: SealDeclaration) throws(SealError) {
        self.declaration = declaration
        if declaration.programs {
            try Seal.check(clibc_helper_start(), "start its helper process")
        }
        landlockVersion = clibc_landlock_version()
        if landlockVersion > 0 { try restrictFiles() }
    }

    /// Restricts memory, system calls and programs to what there is now.
    ///
    /// - Parameter reserve: the bytes of heap that may still be needed: for messages, pictures' files.
    /// - Throws: `SealError.refused`, `.outOfMemory`.
    public mutating func close(reserve: Int) throws(SealError) {
        try Seal.check(clibc_helper_lock(), "lock its helper process")
        var bytes = 0
        let devices = declaration.cameras ? Seal.deviceByteCount : 0
        try Seal.check(unsafe clibc_seal_memory(reserve, devices, &bytes), "limit its memory")
        memoryByteCount = bytes
        clibc_tell_crashes(1)
        let error = clibc_seal_calls(declaration.opensFiles ? 1 : 0)
        // A kernel without seccomp says EINVAL; a board's may.
        if error != EINVAL, error != ENOSYS { try Seal.check(error, "refuse system calls") }
        refusesCalls = error == 0
    }

    /// What is in force, in one line; what is not, because the kernel has it not, too.
    public var description: String {
        let files: String
        if landlockVersion > 0 {
            files = "opens only what was declared (Landlock \(landlockVersion))"
        } else if refusesCalls, !declaration.opensFiles {
            files = "opens no file"
        } else {
            files = "may open every file of its user (this kernel has no Landlock)"
        }
        let calls =
            refusesCalls
            ? "starts \(declaration.programs ? "only declared programs" : "no program"), "
                + "no sockets, no new code (seccomp)"
            : "may start programs (this kernel has no seccomp)"
        return "sealed: at most \(memoryByteCount >> 10) KiB of writable memory; \(files); \(calls)"
    }

    private func restrictFiles() throws(SealError) {
        let ruleset = clibc_landlock_begin()
        guard ruleset >= 0 else {
            throw .refused(protection: "restrict its files", reason: reason())
        }
        for path in declaration.readable { try allow(path, CLIBC_READ_FILES, ruleset) }
        for path in declaration.writable { try allow(path, CLIBC_WRITE_FILES, ruleset) }
        if declaration.cameras {
            // A camera that is plugged in again is a new file.
            try allow("/dev", CLIBC_USE_DEVICES, ruleset)
        }
        // The count of processors; cameras. Its own memory, in the messages of --stats.
        for path in ["/sys", "/proc/self"] { try? allow(path, CLIBC_READ_FILES, ruleset) }
        try Seal.check(clibc_landlock_end(ruleset), "restrict its files")
    }

    private func allow(
        _ path: String,
        _ use: clibc_landlock_use,
        _ ruleset: Int32
    ) throws(SealError) {
        let error = unsafe clibc_landlock_allow(ruleset, path, use)
        guard error == 0 else { throw .path(path, reason: reason(error)) }
    }

    private static func check(_ error: Int32, _ protection: String) throws(SealError) {
        switch error {
        case 0: break
        case ENOMEM: throw .outOfMemory
        default:
            throw .refused(protection: protection, reason: unsafe String(cString: strerror(error)))
        }
    }

    private func reason(_ error: Int32 = clibc_errno()) -> String {
        // Safety: strerror returns a string, for unknown numbers too.
        unsafe String(cString: strerror(error))
    }
}
