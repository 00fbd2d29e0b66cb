// SPDX-License-Identifier: Apache-2.0
import CLibc
import Ocellus

/// The time of day, as programs write it to each other.
public enum WallClock {
    /// The time of day of a moment of the monotonic clock, in nanoseconds since 1970.
    @_noAllocation @_noLocks
    public static func nanoseconds(atMonotonic moment: Int64) -> Int64 {
        clibc_realtime_nanoseconds() - (monotonicNanoseconds() - moment)
    }

    /// Appends `2026-11-21T08:15:30.250Z` (ISO 8601, UTC).
    ///
    /// - Source: the proleptic Gregorian calendar in eras of 400 years, which begin in March so that the
    ///   leap day is the last of a year.
    public static func append(nanosecondsSince1970 time: Int64, to text: inout [UInt8]) {
        let milliseconds = max(0, time) / 1_000_000
        let days = Int(milliseconds / 86_400_000)
        let rest = Int(milliseconds % 86_400_000)

        let sinceMarch = days + 719_468  // days from 0000-03-01 to 1970-01-01
        let era = sinceMarch / 146_097
        let day = sinceMarch % 146_097
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9

        append(era * 400 + year + (month <= 2 ? 1 : 0), digits: 4, before: "-", to: &text)
        append(month, digits: 2, before: "-", to: &text)
        append(dayOfMonth, digits: 2, before: "T", to: &text)
        append(rest / 3_600_000, digits: 2, before: ":", to: &text)
        append(rest / 60_000 % 60, digits: 2, before: ":", to: &text)
        append(rest / 1000 % 60, digits: 2, before: ".", to: &text)
        append(rest % 1000, digits: 3, before: "Z", to: &text)
    }

    private static func append(
        _ number: Int,
        digits: Int,
        before separator: Unicode.Scalar,
        to text: inout [UInt8]
    ) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
        text.append(UInt8(ascii: separator))
    }
}
