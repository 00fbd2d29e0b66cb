// SPDX-License-Identifier: Apache-2.0
import CLibc

/// Writes a line for the reader of the answers: standard output.
func writeLine(_ text: String) {
    print(text)
}

/// Writes a line that is not an answer: standard error.
func writeNote(_ text: String) {
    unsafe fputs(text + "\n", clibc_stderr())
}

/// Hands everything written so far to whoever reads it; whether all of it could be written.
func flushOutput() -> Bool {
    unsafe fflush(clibc_stdout()) == 0 && ferror(clibc_stdout()) == 0
}

/// A text without line breaks, for output of a line each.
func oneLine(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }, as: UTF8.self)
}

/// A number with a fixed count of digits behind the point.
///
/// Embedded Swift has no format strings.
func decimal(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 9e18 else { return value < 0 ? "-huge" : "huge" }
    let number = Int64(scaled)
    let whole = number / Int64(scale)
    var fraction = String(number % Int64(scale))
    while fraction.utf8.count < digits { fraction = "0" + fraction }
    let sign = value < 0 && number > 0 ? "-" : ""
    return digits > 0 ? "\(sign)\(whole).\(fraction)" : "\(sign)\(whole)"
}

/// Nanoseconds as milliseconds with two digits behind the point.
func milliseconds(_ nanoseconds: Int64) -> String {
    decimal(Double(nanoseconds) / 1e6, 2)
}

/// A text filled up with spaces behind it, or before it.
func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
    let count = text.unicodeScalars.count
    guard count < width else { return text }
    let spaces = String(repeating: " ", count: width - count)
    return right ? spaces + text : text + spaces
}

/// A time in a clip: minutes, seconds, and some digits behind the point, rounded down.
func clock(_ time: Duration, digits: Int) -> String {
    var scale: Int64 = 1
    for _ in 0..<digits { scale *= 10 }
    let (whole, attoseconds) = time.components
    var fraction = String(attoseconds / (1_000_000_000_000_000_000 / scale))
    while fraction.utf8.count < digits { fraction = "0" + fraction }
    let (minutes, seconds) = (whole / 60, whole % 60)
    return "\(minutes < 10 ? "0" : "")\(minutes):\(seconds < 10 ? "0" : "")\(seconds).\(fraction)"
}

/// The largest resident size of this process so far, in bytes.
///
/// The corresponding C call is `getrusage(RUSAGE_SELF)`.
func peakResidentBytes() -> Int {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Int(usage.ru_maxrss) * 1024
}
