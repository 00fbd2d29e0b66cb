// SPDX-License-Identifier: Apache-2.0
import CLibc

/// A program that a rule starts: without a shell, with what happened in its environment, one at a
/// time.
///
/// Its memory is made once: starting it again overwrites the values of the last time.
@safe
public final class RuleCommand {
    /// How a program ended.
    public enum Ending: Sendable {
        /// By itself, with a status; 0 means success.
        case exited(Int32)
        /// By a signal.
        case killed
    }

    /// The variables that a program finds in its environment, in this order.
    static var variables: [String] {
        ["OCELLUS_ANSWER", "OCELLUS_QUESTION", "OCELLUS_TIME", "OCELLUS_PROBABILITY"]
    }
    /// The bytes of a variable with its name; a longer answer is cut.
    static var variableLimit: Int { 4096 }

    /// The program and its arguments.
    public let words: [String]
    private var arguments: [UnsafeMutablePointer<CChar>?]
    private var environment: [UnsafeMutablePointer<CChar>?]
    private let ownCount: Int
    private var processID: pid_t = 0

    /// Prepares a command; nothing is started.
    ///
    /// - Precondition: there is at least one word.
    public init(words: [String]) {
        precondition(!words.isEmpty)
        self.words = words
        // Safety: strdup and calloc give memory of our own, freed in `deinit`; both arrays end with a
        // null, as posix_spawn wants them.
        unsafe arguments = []
        for word in words { unsafe arguments.append(strdup(word)) }
        unsafe arguments.append(nil)
        // A sealed process starts nothing else.
        unsafe _ = clibc_child_declare(nil, arguments)
        unsafe environment = []
        ownCount = Self.variables.count
        for _ in 0..<ownCount {
            let block = unsafe calloc(1, Self.variableLimit)
            unsafe environment.append(block?.assumingMemoryBound(to: CChar.self))
        }
        var index = 0
        let inherited = unsafe clibc_environment()
        while let inherited = unsafe inherited, let entry = unsafe inherited[index] {
            unsafe environment.append(entry)
            index += 1
        }
        unsafe environment.append(nil)
    }

    deinit {
        // Safety: what `init` made.
        for index in 0..<words.count { unsafe free(arguments[index]) }
        for index in 0..<ownCount { unsafe free(environment[index]) }
    }

    /// Whether the program that was started last has not ended yet, or was not seen to.
    public var isRunning: Bool { processID > 0 }

    /// Starts the program; the values belong to `variables`, one each.
    ///
    /// The corresponding C call is `posix_spawnp`.
    ///
    /// - Returns: 0, or the error number.
    /// - Precondition: it is not running.
    func start(_ values: borrowing RuleValues) -> Int32 {
        precondition(!isRunning)
        set(0, values.answer)
        set(1, values.question)
        set(2, values.time)
        set(3, values.probability)
        var started: pid_t = 0
        let error = unsafe clibc_child_start(nil, arguments, environment, 2, 2, &started)
        processID = error == 0 ? started : 0
        return error
    }

    /// How the program ended, once, after it did; never waits.
    ///
    /// The corresponding C call is `waitpid(WNOHANG)`.
    func reap() -> Ending? {
        guard isRunning else { return nil }
        var status: Int32 = 0
        let reaped = unsafe clibc_child_wait(processID, &status, WNOHANG)
        guard reaped != 0, reaped == processID || clibc_errno() != EINTR else { return nil }
        processID = 0
        // A process that somebody else reaped has no status any more.
        guard reaped > 0, clibc_exited(status) != 0 else { return .killed }
        return .exited(clibc_exit_status(status))
    }

    /// Writes a variable as the environment has it, `NAME=value` and a zero.
    private func set(_ index: Int, _ value: [UInt8]) {
        guard let block = unsafe environment[index] else { return }
        var length = 0
        func append(_ byte: UInt8) {
            guard length < Self.variableLimit - 1, byte != 0 else { return }
            // Safety: inside the block, and before its last byte.
            unsafe block[length] = CChar(bitPattern: byte)
            length += 1
        }
        for byte in Self.variables[index].utf8 { append(byte) }
        append(UInt8(ascii: "="))
        for byte in value { append(byte) }
        unsafe block[length] = 0
    }
}

/// What a program is told, as bytes of text.
struct RuleValues {
    var answer: [UInt8] = []
    var question: [UInt8] = []
    var time: [UInt8] = []
    var probability: [UInt8] = []
}
