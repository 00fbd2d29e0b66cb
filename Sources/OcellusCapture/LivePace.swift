// SPDX-License-Identifier: Apache-2.0
import CLibc

/// When a live source hands out its next picture, and when it tries again after an outage.
///
/// All moments are nanoseconds of CLOCK_MONOTONIC; what is not given is now.
struct LivePace {
    /// When the pictures stopped; nil as long as they come.
    private(set) var outageStart: Int64?

    private let period: Int64?
    private var dueTime: Int64 = 0
    private var pause = LivePace.shortestPause
    private var nextAttempt: Int64 = 0

    /// The pauses before trying again.
    private static let shortestPause: Int64 = 250_000_000
    private static let longestPause: Int64 = 8_000_000_000

    /// - Parameter period: the time between two pictures; nil: as they come.
    init(period: Duration?) {
        self.period = period.map { $0.nanoseconds }
    }

    /// How long to wait until a picture is wanted; not positive if one is.
    func timeToPicture(_ now: Int64 = clibc_monotonic_nanoseconds()) -> Int64 { dueTime - now }

    /// How long to wait until trying again; not positive if it is time.
    func timeToAttempt(_ now: Int64 = clibc_monotonic_nanoseconds()) -> Int64 { nextAttempt - now }

    /// A picture was handed out.
    ///
    /// - Returns: how long there was none, if that was an outage.
    mutating func noteDelivery(at now: Int64 = clibc_monotonic_nanoseconds()) -> Duration? {
        if let period {
            // On a fixed grid from the first picture, unless pictures come too late for it.
            dueTime = (dueTime == 0 ? now : dueTime) + period
            if dueTime <= now { dueTime = now + period - (now - dueTime) % period }
        }
        pause = LivePace.shortestPause
        guard let start = outageStart else { return nil }
        outageStart = nil
        return .nanoseconds(now - start)
    }

    /// The pictures have stopped, or trying again was in vain.
    ///
    /// - Parameters:
    ///   - silence: how long there were none when that was noticed.
    ///   - now: when it was noticed.
    /// - Returns: whether they came until then.
    mutating func noteFailure(
        after silence: Duration = .zero,
        at now: Int64 = clibc_monotonic_nanoseconds()
    ) -> Bool {
        nextAttempt = now + pause
        pause = min(2 * pause, LivePace.longestPause)
        guard outageStart == nil else { return false }
        outageStart = now - silence.nanoseconds
        return true
    }
}
