// SPDX-License-Identifier: Apache-2.0
import CLibc

/// A program whose output is read from a pipe; ended and reaped with its owner.
///
/// No shell is involved: the arguments reach the program as they are. Its standard input is empty.
struct ChildProcess: ~Copyable {
    /// The end of the pipe from which the program's standard output is read.
    let output: Int32
    private let errors: Int32
    private let processID: pid_t
    private var hasEnded = false
    private var hasClosedErrors = false
    /// The end of what the program wrote to standard error.
    private var lastErrors: [UInt8] = []

    private static let errorByteLimit = 2048

    /// Starts a program that is looked up in PATH.
    ///
    /// The corresponding C calls are `pipe` and `posix_spawnp`.
    ///
    /// - Parameters:
    ///   - program: its name.
    ///   - arguments: what follows the name.
    ///   - path: the source, for errors.
    /// - Throws: `CaptureError.programMissing` or `CaptureError.programFailed`.
    init(_ program: String, _ arguments: [String], path: String) throws(CaptureError) {
        var ends: (Int32, Int32, Int32, Int32) = (-1, -1, -1, -1)
        let status = unsafe ChildProcess.spawn([program] + arguments, ends: &ends)
        // The program has its own copies of the writing ends.
        if ends.1 >= 0 { close(ends.1) }
        if ends.3 >= 0 { close(ends.3) }
        guard status.error == 0 else {
            if ends.0 >= 0 { close(ends.0) }
            if ends.2 >= 0 { close(ends.2) }
            if status.error == ENOENT { throw .programMissing(program: program, path: path) }
            throw .programFailed(
                program: program,
                path: path,
                reason: SystemError.reason(status.error)
            )
        }
        output = ends.0
        errors = ends.2
        processID = status.processID
    }

    deinit {
        close(output)
        close(errors)
        guard !hasEnded else { return }
        // A program that waits for its own input would not notice the closed pipe.
        kill(processID, SIGKILL)
        _ = ChildProcess.reap(processID)
    }

    /// Waits until output can be read or has ended, and keeps the end of the error messages.
    ///
    /// - Returns: false if the stop signal came first.
    mutating func waitForOutput(orFor stop: StopSignal?) -> Bool {
        while true {
            let ready = clibc_wait_readable(
                output,
                hasClosedErrors ? -1 : errors,
                stop?.descriptor ?? -1,
                -1
            )
            guard ready > 0 else { return true }
            if ready & 4 != 0 { return false }
            if ready & 2 != 0 { readErrors() }
            if ready & 1 != 0 { return true }
        }
    }

    /// Reads the rest of the error messages, and reaps the program.
    ///
    /// - Returns: nil if the program succeeded, else the last line of its error messages.
    mutating func finish() -> String? {
        while !hasClosedErrors { readErrors() }
        guard !hasEnded else { return nil }
        let status = ChildProcess.reap(processID)
        hasEnded = true
        if clibc_exited(status) != 0, clibc_exit_status(status) == 0 { return nil }
        let lines = lastErrors.split(separator: UInt8(ascii: "\n"))
        guard let line = lines.last else { return "it ended without a message" }
        return String(decoding: line, as: UTF8.self)
    }

    private mutating func readErrors() {
        let limit = ChildProcess.errorByteLimit
        var failed = false
        let chunk = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            // Safety: the buffer has room for `limit` bytes.
            let got = unsafe read(errors, buffer.baseAddress, limit)
            failed = got < 0 && clibc_errno() == EINTR
            count = max(got, 0)
        }
        if chunk.isEmpty { hasClosedErrors = !failed }
        lastErrors += chunk
        if lastErrors.count > limit { lastErrors.removeFirst(lastErrors.count - limit) }
    }

    /// The corresponding C call is `waitpid`.
    private static func reap(_ processID: pid_t) -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(processID, &status, 0) < 0, clibc_errno() == EINTR {}
        return status
    }

    /// Starts a program with two pipes.
    ///
    /// - Parameters:
    ///   - arguments: the name of the program, then its arguments.
    ///   - ends: gets the reading and the writing end of the two pipes.
    /// - Returns: the error number, 0 for none, and the process.
    @unsafe
    private static func spawn(
        _ arguments: [String],
        ends: inout (Int32, Int32, Int32, Int32)
    ) -> (error: Int32, processID: pid_t) {
        var outputPipe: [Int32] = [-1, -1]
        var errorPipe: [Int32] = [-1, -1]
        guard unsafe clibc_pipe(&outputPipe) == 0 else { return (clibc_errno(), 0) }
        ends.0 = outputPipe[0]
        ends.1 = outputPipe[1]
        guard unsafe clibc_pipe(&errorPipe) == 0 else { return (clibc_errno(), 0) }
        ends.2 = errorPipe[0]
        ends.3 = errorPipe[1]

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends.1, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends.3, 2)

        // A program that ignores SIGPIPE would go on writing after its reader has gone.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

        // Safety: strdup copies each argument; the array ends with a null; all are freed.
        var copies = unsafe [UnsafeMutablePointer<CChar>?](
            repeating: nil,
            count: arguments.count + 1
        )
        for index in arguments.indices { unsafe copies[index] = strdup(arguments[index]) }
        defer { for index in arguments.indices { unsafe free(copies[index]) } }
        var processID: pid_t = 0
        let error = unsafe posix_spawnp(
            &processID,
            arguments[0],
            &actions,
            &attributes,
            &copies,
            clibc_environment()
        )
        return (error, processID)
    }
}
