// SPDX-License-Identifier: Apache-2.0
import CLibc

/// The start of a watch: at boot a camera, or a server, may come later than the program.
extension SourceSettings {
    /// Opens a live source for the first time.
    ///
    /// What is planned for its pictures depends on what it agrees to, so nothing can begin before.
    /// A source that is not there is waited for, if the settings say so, with growing pauses. One that
    /// comes then may at first be closed to this user, busy, or without pictures, until the system or
    /// the server is done with it: what passes is waited for, too.
    ///
    /// - Parameters:
    ///   - name: the source in messages.
    ///   - attempt: opens it.
    /// - Returns: what `attempt` returns.
    /// - Throws: what `attempt` throws; `.stopped` if the stop signal came.
    func waiting<Source: ~Copyable>(
        for name: String,
        _ attempt: () throws(CaptureError) -> Source
    ) throws(CaptureError) -> Source {
        var pace = LivePace(period: nil)
        var journal = FaultJournal()
        while true {
            do throws(CaptureError) {
                return try attempt()
            } catch {
                guard awaitsSource, case .camera(let fault) = error,
                    fault.mayPass(afterWaiting: pace.outageStart != nil)
                else { throw error }
                let told = fault.whileAwaited
                if journal.tellsOutage(told) { report(.fault(told)) }
            }
            _ = pace.noteFailure()
            let stop = self.stop?.descriptor ?? -1
            guard clibc_wait_readable(stop, -1, -1, max(0, pace.timeToAttempt())) == 0 else {
                throw .stopped(path: name)
            }
        }
    }
}

extension CaptureFault {
    /// Whether a source that gives no pictures may give some soon.
    fileprivate func mayPass(afterWaiting hasWaited: Bool) -> Bool {
        switch self {
        case .absent, .stalled: true
        case .unreachable(_, let reason): hasWaited || !CaptureFault.isRefusal(reason)
        case .busy, .noPermission, .failed, .unplugged: hasWaited
        default: false
        }
    }

    /// The fault of a source that is not there as that of one that is waited for.
    fileprivate var whileAwaited: CaptureFault {
        switch self {
        case .absent(let path):
            .awaited(path: path, reason: nil)
        case .unreachable(let path, let reason) where !CaptureFault.isRefusal(reason):
            .awaited(path: path, reason: reason)
        default: self
        }
    }
}
