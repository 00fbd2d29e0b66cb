// SPDX-License-Identifier: Apache-2.0

/// The address of a stream, such as `rtsp://user:password@camera/stream?token=7`, and how to speak
/// about it without telling its secrets.
///
/// Secret are the user and the password, everything behind a question mark, and a path from the first
/// part on that assigns something: cameras want `rtsp://camera/user=admin&password=secret` too.
struct StreamAddress: Sendable {
    /// The address as ffmpeg takes it; never in a message or among arguments.
    let secret: String
    /// The address without its secrets, for messages.
    let display: String
    /// The protocol, in lower case.
    let scheme: String

    private let secrets: [String]

    /// Whether it is a stream of the Real-Time Streaming Protocol.
    var isRTSP: Bool { scheme == "rtsp" || scheme == "rtsps" }

    /// Reads an address; nil if the text is none, which every file's name is.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let start = StreamAddress.authority(in: bytes[...]) else { return nil }
        secret = text
        scheme = String(decoding: bytes[..<(start - 3)].map { $0 | 0x20 }, as: UTF8.self)
        let parts = StreamAddress.parts(bytes[...], authority: start)
        display = StreamAddress.display(parts)
        var secrets: [String] = []
        for part in [parts.user, parts.password, parts.tail] where part.count > 2 {
            secrets.append(String(decoding: part, as: UTF8.self))
        }
        self.secrets = secrets
    }

    /// A source as it may appear in messages: an address without its secrets, a path as it is.
    static func display(of path: String) -> String {
        StreamAddress(path)?.display ?? path
    }

    /// A message of another program without secrets: neither ours nor those of addresses in it.
    func redact(_ message: String) -> String {
        var text = Array(message.utf8)
        for secret in secrets { text = StreamAddress.replace(Array(secret.utf8), in: text) }
        let words = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        var result: [UInt8] = []
        for word in words {
            if !result.isEmpty || word.startIndex > 0 { result.append(UInt8(ascii: " ")) }
            if let start = StreamAddress.authority(in: word) {
                let parts = StreamAddress.parts(word, authority: start)
                result += Array(StreamAddress.display(parts).utf8)
            } else {
                result += word
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether pictures come as they are taken, and end with the camera only; else it is a clip.
    ///
    /// - Throws: `CaptureError.programMissing`; `.camera` if there is nothing, or no video.
    func isLive(_ settings: SourceSettings) throws(CaptureError) -> Bool {
        // So many frames can only be spread over something with an end.
        if settings.frameCount != nil { return false }
        if isRTSP { return true }
        let video: VideoInfo
        do throws(CaptureError) {
            video = try VideoInfo(settings)
        } catch {
            guard case .programFailed(_, let path, let reason) = error else { throw error }
            throw .camera(.unconnected(path: path, reason: reason))
        }
        guard video.isThere else {
            throw .camera(.pictureless(path: display, reason: FFmpegMessages.noVideo))
        }
        guard video.hasContent else {
            throw .camera(.pictureless(path: display, reason: "none can be read"))
        }
        return video.duration == nil
    }

    private typealias Bytes = ArraySlice<UInt8>

    /// The parts of an address; `tail` is what is left out behind the path.
    private struct Parts {
        var scheme: Bytes
        var user: Bytes
        var password: Bytes
        var host: Bytes
        var path: Bytes
        var tail: Bytes
    }

    /// Where `scheme://` ends, or nil; the scheme may stand behind a quote or a bracket.
    private static func authority(in text: Bytes) -> Int? {
        guard text.count > 3 else { return nil }
        for index in text.startIndex..<(text.endIndex - 2) {
            if text[index] == UInt8(ascii: "/") { return nil }
            guard text[index] == UInt8(ascii: ":"), index > text.startIndex else { continue }
            let isAddress =
                text[index + 1] == UInt8(ascii: "/") && text[index + 2] == UInt8(ascii: "/")
            return isAddress ? index + 3 : nil
        }
        return nil
    }

    private static func parts(_ text: Bytes, authority start: Int) -> Parts {
        let rest = text[start...]
        let authorityEnd =
            rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        // A password may contain an at sign, a host cannot; a password with a slash ends later.
        let tailStart = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        var hostStart = start
        if let at = rest[..<tailStart].lastIndex(of: UInt8(ascii: "@")) { hostStart = at + 1 }
        let user = text[start..<max(start, hostStart - 1)]
        let colon = user.firstIndex(of: UInt8(ascii: ":"))
        let hostEnd =
            hostStart <= authorityEnd
            ? authorityEnd
            : rest[hostStart...].firstIndex {
                $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?")
            } ?? rest.endIndex
        var pathEnd = hostEnd
        var end = hostEnd
        while end < text.endIndex {
            let byte = text[end]
            if byte == UInt8(ascii: "/") { pathEnd = end }
            if "?=&;#".utf8.contains(byte) { break }
            end += 1
        }
        if end == text.endIndex || text[end] == UInt8(ascii: "?") { pathEnd = end }
        return Parts(
            scheme: text[..<start],
            user: user[..<(colon ?? user.endIndex)],
            password: colon.map { user[($0 + 1)...] } ?? [],
            host: text[hostStart..<hostEnd],
            path: text[hostEnd..<pathEnd],
            tail: text[pathEnd...]
        )
    }

    private static func display(_ parts: Parts) -> String {
        let ending = parts.tail.isEmpty ? "" : "..."
        return String(decoding: parts.scheme + parts.host + parts.path, as: UTF8.self) + ending
    }

    private static func replace(_ part: [UInt8], in text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index...].starts(with: part) {
                result += Array("...".utf8)
                index += part.count
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }
}
