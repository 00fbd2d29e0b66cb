// SPDX-License-Identifier: Apache-2.0
import CLibc

/// The start of a watch: at boot a camera, or a server, may come later than the program.
extension SourceSettings {
    /// How often in a row a server's answer without pictures is asked for again, about half a minute:
    /// then it is no server that is still starting.
    private static let answerLimit = 8

    /// Opens a live source for the first time.
    ///
    /// What is planned for its pictures depends on what it agrees to, so nothing can begin before.
    /// A source that is not there, or that another program still has, is waited for, if the settings say
    /// so, with growing pauses. One that comes then may at first be closed to this user, or without
    /// pictures, until the system or the server is done with it: what passes is waited for, too.
    ///
    /// A server that answers, but not with pictures, is asked again for about half a minute. One that
    /// refuses at once, having been there from the start, is not.
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
        // Of the last answer without pictures: which, and how often it came in a row.
        var (answer, answerCount) = (-1, 0)
        var lastNotice = ""
        while true {
            do throws(CaptureError) {
                return try attempt()
            } catch {
                guard awaitsSource, case .camera(let fault) = error,
                    fault.mayPass(afterWaiting: pace.outageStart != nil)
                else { throw error }
                answerCount = fault.isAnswer ? (fault.kind == answer ? answerCount : 0) + 1 : 0
                answer = fault.kind
                guard answerCount < Self.answerLimit else { throw error }
                let told = fault.whileAwaited
                // Somebody switches a camera on, and it fails in another way: that is news.
                if told.description != lastNotice { journal.endOutage() }
                lastNotice = told.description
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
        case .absent, .busy, .stalled, .unreachable, .pictureless: true
        case .noPermission, .failed, .unplugged, .refused: hasWaited
        default: false
        }
    }

    /// Whether a server has answered without pictures.
    fileprivate var isAnswer: Bool {
        switch self {
        case .refused, .pictureless: true
        default: false
        }
    }

    /// The fault of a source that gives no pictures yet as that of one that is waited for.
    fileprivate var whileAwaited: CaptureFault {
        switch self {
        case .absent(let path): .awaited(path: path, reason: nil)
        case .unreachable(let path, let reason): .awaited(path: path, reason: reason)
        case .refused(let path, let reason), .pictureless(let path, let reason):
            .starting(path: path, reason: reason)
        default: self
        }
    }
}
