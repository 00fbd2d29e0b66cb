// SPDX-License-Identifier: Apache-2.0

/// What ffmpeg and ffprobe write to standard error, for people.
enum FFmpegMessages {
    /// How lines begin that say nothing about what went wrong.
    private static let hints = [
        " ", "To ignore this", "Consider increasing", "Error marking filters", "Conversion failed",
    ]

    /// The line that tells most: the last one that says what a server answered, else the last one that
    /// is more than a hint; nil if there is none.
    static func mostTelling(_ lines: [String]) -> String? {
        let line = lines.last { ServerAnswer($0) != nil } ?? lines.last { !isHint($0) }
        return line.map(plain)
    }

    private static func isHint(_ line: String) -> Bool { hints.contains { line.hasPrefix($0) } }

    /// A line without the part of ffmpeg that speaks, `[http @ 0x55e8]`, without the name of the list
    /// that an address stands in, and without the length of a file of unknown length, -1 as a positive
    /// number.
    private static func plain(_ line: String) -> String {
        var rest = Array(line.utf8)[...]
        if rest.first == UInt8(ascii: "["), let end = rest.firstIndex(of: UInt8(ascii: "]")),
            rest[..<end].contains(UInt8(ascii: "@"))
        {
            rest = rest[(end + 1)...].drop { $0 == UInt8(ascii: " ") }
        }
        let name = Array((FFmpegInput.listName + ": ").utf8)
        if rest.starts(with: name) { rest = rest.dropFirst(name.count) }
        let unknown = Array(", should be 18446744073709551615".utf8)
        if rest.suffix(unknown.count) == unknown[...] { rest = rest.dropLast(unknown.count) }
        return String(decoding: rest, as: UTF8.self)
    }
}
