// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusMemory

/// Bytes of a file, of standard input or of a program's output, with a look ahead.
///
/// A class, because Embedded Swift cannot destroy a non-copyable struct with a `deinit` that is not
/// visible in the module that owns it.
final class InputStream {
    /// The source, for errors.
    let path: String
    /// The bytes of the whole stream, if it is a file.
    let byteCount: Int?
    /// Whether a read has found the end, the stop signal came, or nothing came for too long.
    private(set) var isAtEnd = false
    /// Whether nothing came for as long as the patience lasts.
    private(set) var wasSilent = false
    /// Ends all waiting.
    var stop: StopSignal?
    /// How long to wait for the next bytes; nil: for ever.
    var patience: Duration?
    /// Is called once when patience ends, of a pipe that is then waited for on and on.
    var tellSilence: (() -> Void)?

    private let descriptor: Int32
    private let ownsDescriptor: Bool
    private var program: ChildProcess?
    /// What the program reads, if it is an address.
    private var address: StreamAddress?
    private var buffer: [UInt8]
    private var position = 0
    private var end = 0

    private static let bufferByteCount = 64 << 10
    /// How messages call standard input.
    static let standardInputName = "standard input"

    /// Opens a file or a pipe.
    ///
    /// The corresponding C calls are `open` and `fstat`.
    ///
    /// - Throws: `CaptureError.unreadable`.
    convenience init(path: String, stop: StopSignal? = nil) throws(CaptureError) {
        // Without O_NONBLOCK this would wait for a named pipe's writer, and miss the stop signal.
        let opened = unsafe clibc_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard opened >= 0 else {
            throw .unreadable(path: path, reason: SystemError.reason())
        }
        self.init(path: path, descriptor: opened, ownsDescriptor: true, program: nil, stop: stop)
    }

    /// Standard input.
    convenience init(standardInputWith stop: StopSignal?) {
        self.init(
            path: InputStream.standardInputName,
            descriptor: 0,
            ownsDescriptor: false,
            program: nil,
            stop: stop
        )
    }

    /// The output of a program that reads a source.
    convenience init(_ program: consuming ChildProcess, of path: String, stop: StopSignal?) {
        let output = program.output
        self.init(
            path: StreamAddress.display(of: path),
            descriptor: output,
            ownsDescriptor: false,
            program: program,
            stop: stop
        )
        address = StreamAddress(path)
    }

    private init(
        path: String,
        descriptor: Int32,
        ownsDescriptor: Bool,
        program: consuming ChildProcess?,
        stop: StopSignal?
    ) {
        var status = stat()
        let isFile =
            unsafe fstat(descriptor, &status) == 0 && clibc_is_file(status.st_mode) != 0
        self.path = path
        byteCount = isFile ? Int(status.st_size) : nil
        self.descriptor = descriptor
        self.ownsDescriptor = ownsDescriptor
        self.program = program
        self.stop = stop
        buffer = [UInt8](repeating: 0, count: InputStream.bufferByteCount)
    }

    deinit {
        if ownsDescriptor { close(descriptor) }
    }

    /// The bytes that were read ahead; hold them no longer than until the next read.
    var lookahead: ArraySlice<UInt8> { buffer[position..<end] }

    /// Reads ahead until at least so many bytes are there, or the end is reached.
    ///
    /// - Precondition: the count is at most that of the buffer.
    /// - Throws: `CaptureError.unreadable`.
    func lookAhead(_ count: Int) throws(CaptureError) {
        precondition(count <= buffer.count)
        while end - position < count, !isAtEnd {
            if buffer.count - position < count {
                for index in position..<end { buffer[index - position] = buffer[index] }
                end -= position
                position = 0
            }
            guard waitForBytes() else { return }
            let got = unsafe buffer.withUnsafeMutableBytes { [descriptor, end] bytes in
                // Safety: the bytes from `end` on are in the buffer.
                unsafe InputStream.readOnce(
                    descriptor,
                    bytes.baseAddress.map { unsafe $0 + end },
                    bytes.count - end
                )
            }
            try noteEnd(got)
            end += got
        }
    }

    /// Skips bytes that were read ahead.
    func skip(_ count: Int) {
        precondition(count <= end - position)
        position += count
    }

    /// Reads into memory until it is full or the stream ends.
    ///
    /// - Parameters:
    ///   - bytes: the memory.
    ///   - count: how many bytes are wanted.
    /// - Returns: the count of bytes that were read.
    /// - Throws: `CaptureError.unreadable`.
    func read(into bytes: Bytes, count: Int) throws(CaptureError) -> Int {
        precondition(count <= bytes.count)
        var filled = min(count, end - position)
        unsafe buffer.withUnsafeBytes { source in
            // Safety: both have `filled` bytes there.
            if let base = source.baseAddress, filled > 0 {
                unsafe bytes.base.copyMemory(from: base + position, byteCount: filled)
            }
        }
        position += filled
        while filled < count, !isAtEnd {
            guard waitForBytes() else { return filled }
            // Safety: the memory has `count` bytes.
            let got = unsafe InputStream.readOnce(
                descriptor,
                bytes.base + filled,
                count - filled
            )
            try noteEnd(got)
            filled += got
        }
        return filled
    }

    /// Reads all that is left, at most so many bytes.
    ///
    /// - Throws: `CaptureError.unreadable`, or `CaptureError.unsupported` if there are more.
    func readAll(limit: Int) throws(CaptureError) -> [UInt8] {
        var all: [UInt8] = []
        while true {
            try lookAhead(1)
            if position == end { return all }
            all += buffer[position..<end]
            position = end
            guard all.count <= limit else {
                throw .unsupported(path: path, feature: "a picture of more than \(limit) bytes")
            }
        }
    }

    /// After the end: what the program that wrote the stream says went wrong, if anything, without the
    /// secrets of an address.
    ///
    /// ffmpeg succeeds, with messages, if it could read at least something of a damaged video: with
    /// `complaints` those count, too.
    func failureOfProgram(orComplaints complaints: Bool = false) -> String? {
        // A program that is still at work would not end by itself.
        if let stop, stop.isRaised { return nil }
        guard let end = program?.finish() else { return nil }
        if end.succeeded, !complaints || end.messages.isEmpty { return nil }
        let lines = address.map { end.messages.map($0.redact) } ?? end.messages
        return FFmpegMessages.mostTelling(lines) ?? "it ended without a message"
    }

    /// Whether the program that writes the stream has said so far that something is wrong.
    var programHasComplained: Bool { program?.hasComplained ?? false }

    /// Waits until a read finds bytes or the end.
    ///
    /// - Returns: false if the stop signal came first, or patience ended; the stream is at its end
    ///   then.
    private func waitForBytes() -> Bool {
        // A file has its next bytes at once, or its end.
        guard byteCount == nil else { return true }
        let timeout = patience?.nanoseconds ?? -1
        var ready =
            program?.waitForOutput(orFor: stop, nanoseconds: timeout)
            ?? clibc_wait_readable(descriptor, -1, stop?.descriptor ?? -1, timeout)
        if ready == 0, let tellSilence {
            tellSilence()
            self.tellSilence = nil
            ready = clibc_wait_readable(descriptor, -1, stop?.descriptor ?? -1, -1)
        }
        wasSilent = ready == 0
        if ready == 0 || ready > 0 && ready & 4 != 0 { isAtEnd = true }
        return !isAtEnd
    }

    private func noteEnd(_ got: Int) throws(CaptureError) {
        if got < 0 { throw .unreadable(path: path, reason: SystemError.reason()) }
        if got == 0 { isAtEnd = true }
    }

    /// The corresponding C call is `read`; again if a signal interrupted it, or a pipe that was opened
    /// without waiting turned out to be empty.
    private static func readOnce(
        _ descriptor: Int32,
        _ memory: UnsafeMutableRawPointer?,
        _ count: Int
    ) -> Int {
        while true {
            let got = unsafe CLibc.read(descriptor, memory, count)
            if got >= 0 { return got }
            switch clibc_errno() {
            case EINTR: continue
            case EAGAIN: _ = clibc_wait_readable(descriptor, -1, -1, -1)
            default: return got
            }
        }
    }
}

extension InputStream {
    /// Reads a line; nil if it has more bytes than the limit, or the stream ends within it.
    ///
    /// - Throws: `CaptureError.unreadable`.
    func readLine(limit: Int) throws(CaptureError) -> [UInt8]? {
        var line: [UInt8] = []
        while line.count < limit {
            try lookAhead(1)
            guard let byte = lookahead.first else { return nil }
            skip(1)
            if byte == UInt8(ascii: "\n") { return line }
            line.append(byte)
        }
        return nil
    }

    /// Skips a line without keeping it; whether it began with a text and ended within the limit.
    ///
    /// - Throws: `CaptureError.unreadable`.
    func skipLine(beginningWith text: StaticString, limit: Int) throws(CaptureError) -> Bool {
        var isExpected = true
        for column in 0..<limit {
            try lookAhead(1)
            guard let byte = lookahead.first else { return false }
            skip(1)
            if column < text.utf8CodeUnitCount {
                // Safety: within the text.
                isExpected = unsafe isExpected && byte == text.utf8Start[column]
            } else if byte == UInt8(ascii: "\n") {
                return isExpected
            }
        }
        return false
    }
}
