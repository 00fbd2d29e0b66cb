// SPDX-License-Identifier: Apache-2.0

/// What ffmpeg and ffprobe write to standard error, for people.
///
/// Since version 6 the lines that say what went wrong are followed by others that only say what that led
/// to.
enum FFmpegMessages {
    /// How lines begin that say nothing about what went wrong.
    private static let hints = [
        " ", "To ignore this", "Consider increasing", "Error marking filters", "Conversion failed",
        "Error opening input file ", "Error opening output file", "Error parsing options for",
        "Error splitting the argument list",
        "Failed to set value", "Impossible to open", "Decode error rate", "Task finished with",
        "Terminating thread with", "Could not open encoder before EOF", "Nothing was written into",
    ]
    /// What stands before a message: the name of the list in which an address stands, and what was tried.
    private static let introductions = [
        FFmpegInput.listName + ": ", "Error opening input: ", "Error opening input files: ",
    ]

    /// What is said of something without video, of which ffmpeg says that it fits no `-map`.
    static let noVideo = "it has no video"

    /// The line that tells most: the last one that says what a server answered, else the last one that
    /// is more than a hint; nil if there is none.
    static func mostTelling(_ lines: [String]) -> String? {
        let telling = lines.map(plain).filter { line in !hints.contains { line.hasPrefix($0) } }
        let line = telling.last { ServerAnswer($0) != nil } ?? telling.last
        return line.map { $0.hasPrefix("Stream map ") ? noVideo : $0 }
    }

    /// A line without the parts of ffmpeg that speak, `[http @ 0x55e8]`, without introductions, and
    /// without the length of a file of unknown length, -1 as a positive number.
    private static func plain(_ line: String) -> String {
        var rest = Array(line.utf8)[...]
        while rest.first == UInt8(ascii: "["), let end = rest.firstIndex(of: UInt8(ascii: "]")),
            rest[..<end].contains(UInt8(ascii: "@"))
        {
            rest = rest[(end + 1)...].drop { $0 == UInt8(ascii: " ") }
        }
        for introduction in introductions where rest.starts(with: introduction.utf8) {
            rest = rest.dropFirst(introduction.utf8.count)
        }
        let unknown = Array(", should be 18446744073709551615".utf8)
        if rest.suffix(unknown.count) == unknown[...] { rest = rest.dropLast(unknown.count) }
        return String(decoding: rest, as: UTF8.self)
    }
}
