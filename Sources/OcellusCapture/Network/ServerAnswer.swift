// SPDX-License-Identifier: Apache-2.0

/// What a message of ffmpeg tells about the server that was asked for a stream.
///
/// ffmpeg has one exit code for everything, and few of its messages say more than that it failed. Those
/// that do are known here, in the words of ffmpeg 5.1, 7.0, 8.0 and 9.0.
enum ServerAnswer {
    /// Nobody answered, or a server that cannot serve now: that may pass at any time.
    case unavailable
    /// The server wants a password, has no such path, or refuses for another reason of its own.
    case refusal
    /// The server sent something, and it is no video.
    case noVideo

    private static let wordsOfUnavailable = [
        "Connection refused", "timed out", "No route to host", "Network is unreachable",
        "Failed to resolve hostname", "Connection reset by peer", "Server returned 5XX",
    ]
    private static let wordsOfNoVideo = [
        "Invalid data found", "Invalid argument", "Protocol not found", "matches no streams",
        "does not contain any stream", "Cannot determine format of input",
        "Stream ends prematurely", FFmpegMessages.noVideo,
    ]
    /// What stands before a status of HTTP or RTSP, which has three digits; behind it stands anything,
    /// in ffmpeg 8.0 without a space.
    private static let beforeStatus = ["HTTP error ", "Server returned ", " failed: "]

    /// Reads a line; nil if it does not tell.
    init?(_ message: String) {
        if let status = ServerAnswer.status(in: message) {
            switch status {
            // Request Timeout, Too Many Requests: of this moment only.
            case 408, 429, 500...599: self = .unavailable
            case 400...499: self = .refusal
            default: return nil
            }
            return
        }
        if ServerAnswer.wordsOfUnavailable.contains(where: { message.hasPart($0) }) {
            self = .unavailable
        } else if ServerAnswer.wordsOfNoVideo.contains(where: { message.hasPart($0) }) {
            self = .noVideo
        } else {
            return nil
        }
    }

    /// The status of HTTP or RTSP in a message, if there is one.
    static func status(in message: String) -> Int? {
        let bytes = Array(message.utf8)
        for words in beforeStatus {
            guard let start = message.index(behind: words), bytes.count >= start + 3 else {
                continue
            }
            let digits = bytes[start..<(start + 3)]
            guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { continue }
            return digits.reduce(0) { 10 * $0 + Int($1 - 0x30) }
        }
        return nil
    }
}

extension String {
    /// Whether another text stands in this one, byte for byte; Embedded Swift has no `contains` of texts.
    fileprivate func hasPart(_ part: String) -> Bool { index(behind: part) != nil }

    /// The offset of the byte behind the first place of a text in this one.
    fileprivate func index(behind part: String) -> Int? {
        let text = Array(utf8)
        let part = Array(part.utf8)
        guard part.count <= text.count else { return nil }
        return (0...(text.count - part.count)).first { text[$0...].starts(with: part) }
            .map { $0 + part.count }
    }
}
