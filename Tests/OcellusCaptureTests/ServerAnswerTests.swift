// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OcellusCapture

/// What ffmpeg's messages say about a server, in the words that its versions 5.1.9, 7.0.2, 8.0 and
/// 9.0.2 printed.
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
        ("method DESCRIBE failed: 401Unauthorized", .refusal),
        ("method DESCRIBE failed: 429 (Too Many Requests)", .unavailable),
        ("Error reading HTTP response: Connection reset by peer", .unavailable),
        ("Cannot determine format of input 0:0 after EOF", .noVideo),
        ("Invalid data found when processing input", .noVideo),
        ("Stream map '0:v:0' matches no streams.", .noVideo), ("it has no video", .noVideo),
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
            ], "it has no video"
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
        (
            [
                "[http @ 0x55aa] Error reading HTTP response: End of file",
                "[in#0 @ 0x55ab] Impossible to open 'http://127.0.0.1/x'",
                "[in#0 @ 0x55ab] Error opening input: End of file",
                "Error opening input file pipe:0.", "Error opening input files: End of file",
            ], "End of file"
        ),
        (
            [
                "[in#0 @ 0x55ab] Error opening input: Server returned 429 Too Many Requests",
                "Error opening input file pipe:0.",
                "Error opening input files: Server returned 429 Too Many Requests",
            ], "Server returned 429 Too Many Requests"
        ),
        (
            [
                "Stream map '' matches no streams.",
                "To ignore this, add a trailing '?' to the map.",
                "Failed to set value '0:v:0' for option 'map': Invalid argument",
                "Error parsing options for output file pipe:1.",
                "Error opening output files: Invalid argument",
            ], "it has no video"
        ),
        (
            [
                "[vf#0:0 @ 0x55] Cannot determine format of input 0:0 after EOF",
                "[vf#0:0 @ 0x55] Terminating thread with return code -1094995529 (Invalid data found "
                    + "when processing input)",
                "[vost#0:0/ppm @ 0x55] [enc:ppm @ 0x56] Could not open encoder before EOF",
                "[vost#0:0/ppm @ 0x55] Task finished with error code: -22 (Invalid argument)",
                "[out#0/image2pipe @ 0x57] Nothing was written into output file, because at least "
                    + "one of its streams received no packets.",
            ], "Cannot determine format of input 0:0 after EOF"
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
