// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OcellusCapture

/// When a live source gives its next picture, and when it tries again.
@Suite struct LivePaceTests {
    private let ms: Int64 = 1_000_000

    @Test func withoutAPeriodAPictureIsWantedAtOnce() {
        var pace = LivePace(period: nil)
        #expect(pace.timeToPicture(5 * ms) <= 0)
        let outage = pace.noteDelivery(at: 5 * ms)
        #expect(outage == nil)
        #expect(pace.timeToPicture(5 * ms) <= 0)
    }

    @Test("pictures are wanted on a grid from the first one, also after late ones")
    func grid() {
        var pace = LivePace(period: .milliseconds(100))
        #expect(pace.timeToPicture(1000 * ms) <= 0)
        _ = pace.noteDelivery(at: 1000 * ms)
        #expect(pace.timeToPicture(1010 * ms) == 90 * ms)
        _ = pace.noteDelivery(at: 1130 * ms)
        #expect(pace.timeToPicture(1130 * ms) == 70 * ms)
        // Two turns were missed: they stay missed.
        _ = pace.noteDelivery(at: 1450 * ms)
        #expect(pace.timeToPicture(1450 * ms) == 50 * ms)
        _ = pace.noteDelivery(at: 1500 * ms)
        #expect(pace.timeToPicture(1500 * ms) == 100 * ms)
    }

    @Test func pausesGrowToEightSecondsAndBeginAnew() {
        var pace = LivePace(period: nil)
        for pause: Int64 in [250, 500, 1000, 2000, 4000, 8000, 8000, 8000] {
            _ = pace.noteFailure(at: 0)
            #expect(pace.timeToAttempt(0) == pause * ms)
        }
        _ = pace.noteDelivery(at: 60_000 * ms)
        _ = pace.noteFailure(at: 60_000 * ms)
        #expect(pace.timeToAttempt(60_100 * ms) == 150 * ms)
    }

    @Test func anOutageLastsFromTheLastPictureToTheNext() {
        var pace = LivePace(period: nil)
        _ = pace.noteDelivery(at: 1000 * ms)
        let begins = [
            pace.noteFailure(after: .seconds(3), at: 5000 * ms), pace.noteFailure(at: 6000 * ms),
        ]
        let outages = [pace.noteDelivery(at: 9000 * ms), pace.noteDelivery(at: 9100 * ms)]
        let beginsAgain = pace.noteFailure(at: 9200 * ms)
        #expect(begins == [true, false] && beginsAgain)
        #expect(outages == [.seconds(7), nil])
    }
}
