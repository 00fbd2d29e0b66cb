// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusService
import Testing

@Suite struct WallClockTests {
    @Test func timesAreWrittenAsFoundationWritesThem() {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        var seconds = 0.0
        while seconds < 8e9 {
            var text: [UInt8] = []
            WallClock.append(nanosecondsSince1970: Int64(seconds) * 1_000_000_000, to: &text)
            let expected = formatter.string(from: Date(timeIntervalSince1970: seconds))
            #expect(String(decoding: text, as: UTF8.self) == expected)
            seconds += 1_234_567
        }
        // Leap days and the ends of a year and a century.
        for second in [951_782_399, 951_782_400, 951_868_800, 4_107_542_399, 4_107_542_400] {
            var text: [UInt8] = []
            WallClock.append(nanosecondsSince1970: Int64(second) * 1_000_000_000, to: &text)
            let date = Date(timeIntervalSince1970: Double(second))
            #expect(String(decoding: text, as: UTF8.self) == formatter.string(from: date))
        }
    }
}
