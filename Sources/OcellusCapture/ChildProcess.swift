// SPDX-License-Identifier: Apache-2.0
import CLibc

/// A program whose output is read from a pipe; ended and reaped with its owner.
///
/// No shell is involved: the arguments reach the program as they are. What nobody else may read goes
/// to its standard input: everybody can see the arguments of a program.
struct ChildProcess: ~Copyable {
    /// The end of the pipe from which the program's standard output is read.
    let output: Int32
    private let errors: Int32
    private let processID: pid_t
    private var hasEnded = false
    private var hasClosedErrors = false
    /// The end of what the program wrote to standard error, and room to read more.
    private var errorBytes = [UInt8](repeating: 0, count: 2 * errorByteLimit)
    private var errorByteCount = 0

    /// Whether an error message was read.
    var hasComplained: Bool { errorByteCount > 0 }

    private static let errorByteLimit = 2048
    /// How long a program may take to end by itself, in nanoseconds.
    private static let lingeringTime: Int64 = 2_000_000_000
    /// How long a program may take to end after SIGTERM, in nanoseconds.
    private static let leaveTakingTime: Int64 = 500_000_000

    /// Starts a program that is looked up in PATH.
    ///
    /// The corresponding C calls are `pipe` and `posix_spawnp`.
    ///
    /// - Parameters:
    ///   - program: its name.
    ///   - arguments: what follows the name.
    ///   - input: what it finds on its standard input, at most `PIPE_BUF` bytes.
    ///   - path: the source, for errors.
    /// - Throws: `CaptureError.programMissing` or `CaptureError.programFailed`.
    init(
        _ program: String,
        _ arguments: [String],
        input: String = "",
        path: String
    ) throws(CaptureError) {
        var ends: (Int32, Int32, Int32, Int32) = (-1, -1, -1, -1)
        let status = unsafe ChildProcess.spawn([program] + arguments, input: input, ends: &ends)
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
        if !hasEnded { _ = ChildProcess.end(processID, errors: errors) }
        close(errors)
    }

    /// Waits until output can be read or has ended, and keeps the end of the error messages.
    ///
    /// - Parameters:
    ///   - stop: ends the waiting, too.
    ///   - nanoseconds: how long to wait; negative: for ever.
    /// - Returns: as `clibc_wait_readable`: 1 for output, 4 for the stop signal, 0 after the time.
    mutating func waitForOutput(orFor stop: StopSignal?, nanoseconds: Int64) -> Int32 {
        let deadline = clibc_monotonic_nanoseconds() + nanoseconds
        while true {
            let rest = deadline - clibc_monotonic_nanoseconds()
            let ready = clibc_wait_readable(
                output,
                hasClosedErrors ? -1 : errors,
                stop?.descriptor ?? -1,
                nanoseconds < 0 ? -1 : max(0, rest)
            )
            if ready > 0, ready & 2 != 0 { readErrors() }
            if ready != 2 { return ready }
        }
    }

    /// Reads the rest of the error messages, and reaps the program.
    ///
    /// A program that has closed its output but does not end is ended.
    ///
    /// - Returns: whether it succeeded, and the last lines of its error messages; nil if it was reaped
    ///   before.
    mutating func finish() -> (succeeded: Bool, messages: [String])? {
        guard !hasEnded else { return nil }
        hasEnded = true
        let status =
            readErrors(within: ChildProcess.lingeringTime)
            ? ChildProcess.reap(processID) : ChildProcess.end(processID, errors: errors)
        let succeeded = clibc_exited(status) != 0 && clibc_exit_status(status) == 0
        let lines = errorBytes[..<errorByteCount].split(separator: UInt8(ascii: "\n"))
        return (succeeded, lines.map { String(decoding: $0, as: UTF8.self) })
    }

    /// Reads error messages until the program has closed them, which it does when it ends.
    ///
    /// - Returns: false if it did not within the time, in nanoseconds.
    private mutating func readErrors(within time: Int64) -> Bool {
        let deadline = clibc_monotonic_nanoseconds() + time
        while !hasClosedErrors {
            let rest = deadline - clibc_monotonic_nanoseconds()
            guard rest > 0, clibc_wait_readable(errors, -1, -1, rest) > 0 else { return false }
            readErrors()
        }
        return true
    }

    /// Ends a program: first in a way that lets ffmpeg take leave of a camera, which may not have room
    /// for many visitors.
    ///
    /// - Returns: the status as `waitpid` has it.
    private static func end(_ processID: pid_t, errors: Int32) -> Int32 {
        clibc_child_signal(processID, SIGTERM)
        let deadline = clibc_monotonic_nanoseconds() + leaveTakingTime
        var rest = leaveTakingTime
        // What it says does not matter any more; that it closes its messages means that it ends.
        var scratch = [UInt8](repeating: 0, count: errorByteLimit)
        while rest > 0, clibc_wait_readable(errors, -1, -1, rest) > 0 {
            // Safety: the array has so many bytes.
            if unsafe read(errors, &scratch, errorByteLimit) <= 0 { break }
            rest = deadline - clibc_monotonic_nanoseconds()
        }
        if rest <= 0 || clibc_wait_readable(errors, -1, -1, 0) == 0 {
            clibc_child_signal(processID, SIGKILL)
        }
        return reap(processID)
    }

    /// Reads once, in place: a program that complains about each picture costs no allocation.
    private mutating func readErrors() {
        let limit = ChildProcess.errorByteLimit
        let surplus = errorByteCount - limit
        if surplus > 0 {
            for index in 0..<limit { errorBytes[index] = errorBytes[index + surplus] }
            errorByteCount = limit
        }
        let got = unsafe errorBytes.withUnsafeMutableBytes { [errors, errorByteCount] bytes in
            // Safety: at most half of the bytes are taken, the other half has `limit`.
            unsafe read(errors, bytes.baseAddress.map { unsafe $0 + errorByteCount }, limit)
        }
        if got > 0 { errorByteCount += got }
        if got == 0 || got < 0 && clibc_errno() != EINTR { hasClosedErrors = true }
    }

    /// The corresponding C call is `waitpid`.
    private static func reap(_ processID: pid_t) -> Int32 {
        var status: Int32 = 0
        while unsafe clibc_child_wait(processID, &status, 0) < 0, clibc_errno() == EINTR {}
        return status
    }

    /// Starts a program with two pipes.
    ///
    /// - Parameters:
    ///   - arguments: the name of the program, then its arguments.
    ///   - input: what it finds on its standard input.
    ///   - ends: gets the reading and the writing end of the two pipes.
    /// - Returns: the error number, 0 for none, and the process.
    @unsafe
    private static func spawn(
        _ arguments: [String],
        input: String,
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

        var processID: pid_t = 0
        let error = unsafe withCommandLine(arguments) { line in
            unsafe clibc_child_start(
                input,
                line,
                clibc_environment(),
                ends.1,
                ends.3,
                &processID
            )
        }
        return (error, processID)
    }

    /// Announces that a program with these arguments and this input may be started after the process
    /// was sealed.
    static func declare(_ program: String, _ arguments: [String], input: String) {
        unsafe _ = withCommandLine([program] + arguments) { line in
            unsafe clibc_child_declare(input, line)
        }
    }

    /// The words as C wants them: zero-terminated, and a null at the end.
    @unsafe
    private static func withCommandLine(
        _ words: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Int32
    ) -> Int32 {
        // Safety: strdup copies each word; all copies are freed.
        var copies = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: words.count + 1)
        for index in words.indices { unsafe copies[index] = strdup(words[index]) }
        defer { for index in words.indices { unsafe free(copies[index]) } }
        return unsafe body(&copies)
    }
}
