// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OcellusCapture

/// What ffmpeg's messages say about a server, in the words of ffmpeg 5.1 as it printed them.
@Suite struct ServerAnswerTests {
    @Test(arguments: [
        ("Connection refused", ServerAnswer.unavailable), ("Operation timed out", .unavailable),
        ("Failed to resolve hostname x.invalid: Name or service not known", .unavailable),
        ("HTTP error 408 Request Timeout", .unavailable),
        ("HTTP error 429 Too Many Requests", .unavailable),
        ("HTTP error 503 Service Unavailable", .unavailable),
        ("Server returned 5XX Server Error reply", .unavailable),
        ("method DESCRIBE failed: 503 Service Unavailable", .unavailable),
        ("Server returned 401 Unauthorized (authorization failed)", .refusal),
        ("HTTP error 410 Gone", .refusal), ("method SETUP failed: 461 Client error", .refusal),
        ("Invalid data found when processing input", .noVideo),
        ("Stream map '0:v:0' matches no streams.", .noVideo),
    ]) func isKnown(_ message: String, _ answer: ServerAnswer) {
        #expect(ServerAnswer(message) == answer)
    }

    @Test(arguments: [
        "Input/output error", "End of file", "HTTP error 302 Found", "",
        "Connection to tcp://127.0.0.1:80 failed: Permission denied",
        "Server returned 4XX Client Error, but not one of 40{0,1,3,4}",
    ]) func mayBeAnything(_ message: String) {
        #expect(ServerAnswer(message) == nil)
    }

    @Test(arguments: [
        (
            [
                "[http @ 0x556f28ec09c0] HTTP error 429 Too Many Requests",
                "[concat @ 0x5626510c1040] Impossible to open 'http://127.0.0.1/429'",
                "pipe:0: Server returned 4XX Client Error, but not one of 40{0,1,3,4}",
            ], "HTTP error 429 Too Many Requests"
        ),
        (
            [
                "Stream map '0:v:0' matches no streams.",
                "To ignore this, add a trailing '?' to the map.",
            ], "Stream map '0:v:0' matches no streams."
        ),
        (
            [
                "[tcp @ 0x55be] Failed to resolve hostname x: Name or service not known",
                "[concat @ 0x55bf] Impossible to open 'http://x/'", "pipe:0: Input/output error",
            ], "Failed to resolve hostname x: Name or service not known"
        ),
        (
            [
                "[http @ 0x559d] Stream ends prematurely at 49, should be 18446744073709551615",
                "pipe:0: Input/output error",
            ], "Stream ends prematurely at 49"
        ),
        (["[mjpeg @ 0x1] EOI missing", "    Last message repeated 2 times"], "EOI missing"),
        (["[2026] no part of ffmpeg"], "[2026] no part of ffmpeg"),
    ]) func theLineThatTellsMostIsTold(_ lines: [String], _ line: String) {
        #expect(FFmpegMessages.mostTelling(lines) == line)
    }

    @Test func nothingIsSaidByHints() {
        #expect(FFmpegMessages.mostTelling(["    Last message repeated 1 times"]) == nil)
    }
}
