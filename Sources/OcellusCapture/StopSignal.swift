// SPDX-License-Identifier: Apache-2.0
import CLibc

/// A request to stop, which every source of frames heeds while it waits.
///
///     let stop = try StopSignal.ofProcess()      // SIGTERM and SIGINT from here on
///     var source = try FrameSource.open(SourceSettings(path: "-", stop: stop))
///     while let frame = try source.next(into: slot) { ... }   // nil once a signal came
///
/// Any thread may raise it and look at it. Once raised it stays so.
public final class StopSignal: Sendable {
    /// Can be read, as `poll` has it, once the request has come; never read from it.
    public let descriptor: Int32

    /// A request that only the program itself makes, with `raise()`.
    ///
    /// The corresponding C call is `eventfd`.
    ///
    /// - Throws: `CaptureError.unreadable` if the process has no descriptor left.
    public init() throws(CaptureError) {
        descriptor = clibc_event_open()
        guard descriptor >= 0 else {
            throw .unreadable(path: "a stop event", reason: SystemError.reason())
        }
    }

    /// A request that SIGTERM and SIGINT make, as long as it lives.
    ///
    /// The second signal ends the process at once, whatever it is doing. A signal that was ignored
    /// when the process started stays ignored, as shells want it of background jobs.
    ///
    /// - Throws: as `init()`.
    public static func ofProcess() throws(CaptureError) -> StopSignal {
        let signal = try StopSignal()
        clibc_stop_signals_raise(signal.descriptor)
        return signal
    }

    deinit {
        clibc_stop_signals_default(descriptor)
        close(descriptor)
    }

    /// Whether the request has come.
    public var isRaised: Bool { clibc_wait_readable(descriptor, -1, -1, 0) == 1 }

    /// Makes the request.
    public func raise() {
        clibc_event_raise(descriptor)
    }
}
