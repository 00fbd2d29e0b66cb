// SPDX-License-Identifier: Apache-2.0
import CLibc

/// When a live source hands out its next picture, and when it tries again after an outage.
///
/// All times are nanoseconds of CLOCK_MONOTONIC.
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
    var timeToPicture: Int64 { dueTime - clibc_monotonic_nanoseconds() }

    /// How long to wait until trying again; not positive if it is time.
    var timeToAttempt: Int64 { nextAttempt - clibc_monotonic_nanoseconds() }

    /// A picture was handed out.
    ///
    /// - Returns: how long there was none, if that was an outage.
    mutating func noteDelivery() -> Duration? {
        let now = clibc_monotonic_nanoseconds()
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
    /// - Parameter silence: how long there were none when that was noticed.
    /// - Returns: whether they came until then.
    mutating func noteFailure(after silence: Duration = .zero) -> Bool {
        let now = clibc_monotonic_nanoseconds()
        nextAttempt = now + pause
        pause = min(2 * pause, LivePace.longestPause)
        guard outageStart == nil else { return false }
        outageStart = now - silence.nanoseconds
        return true
    }
}
