// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OcellusCapture

/// What messages say of an address.
@Suite struct StreamAddressTests {
    @Test(arguments: [
        ("rtsp://camera/stream", "rtsp://camera/stream"),
        ("rtsp://camera:554/a/b.sdp", "rtsp://camera:554/a/b.sdp"),
        ("rtsp://me:secret@camera:554/stream", "rtsp://camera:554/stream"),
        ("rtsp://me:sec@ret@camera/stream", "rtsp://camera/stream"),
        ("rtsp://me:sec/ret@camera/stream", "rtsp://camera/stream"),
        ("http://camera/video?token=secret", "http://camera/video..."),
        ("http://me@camera?token=secret", "http://camera..."),
        ("rtsp://camera/user=me&password=secret&channel=1", "rtsp://camera..."),
        ("rtsp://camera/h264/user=me_password=secret.sdp", "rtsp://camera/h264..."),
        ("http://[::1]:80/x;key=secret", "http://[::1]:80..."),
    ]) func secretsAreLeftOut(_ address: String, _ display: String) {
        #expect(StreamAddress(address)?.display == display)
    }

    @Test(arguments: ["clip.mp4", "/dev/video0", "-", "usb:046d:0825", "a/b://c", "://", "C:/x"])
    func filesAreNone(_ path: String) {
        #expect(StreamAddress(path) == nil)
        #expect(StreamAddress.display(of: path) == path)
    }

    @Test(arguments: [
        ("http://", "names no host, as http://HOST/PATH"), ("http:///x", "names no host"),
        ("rtsp://me:secret@/x", "names no host"), ("rtsp://:554/x", "names no host"),
        ("htp://camera/x", "the protocol htp is unknown"), ("file:///x", "protocol file"),
        ("http://camera:99999/x", "from 1 to 65535, not 99999"), ("http://[::1]:0/", "not 0"),
        ("rtsp://me:sec/ret@camera/x", "a slash in a password is written %2F"),
    ]) func mistakesAreNamed(_ address: String, _ mistake: String) throws {
        let found = try #require(StreamAddress(address)?.mistake)
        #expect(found.contains(mistake), "\(found)")
        #expect(!found.contains("sec"))
    }

    @Test(arguments: [
        "rtsp://camera", "RTSP://me:a%2Fb@camera:554/x", "http://[::1]:80/x", "https://[::1]/x",
        "http://camera/a@b:c/d", "udp://@:5000", "srt://:5000?mode=listener", "http://me:p:w@c?x:y",
    ]) func goodOnesHaveNone(_ address: String) {
        #expect(StreamAddress(address)?.mistake == nil)
    }

    @Test func messagesOfFFmpegLoseThem() throws {
        let address = try #require(StreamAddress("rtsp://me:se%40cret@camera/a?key=k3y"))
        #expect(
            address.redact("rtsp://me:se%40cret@camera/a?key=k3y: 401 Unauthorized")
                == "rtsp://camera/a...: 401 Unauthorized"
        )
        #expect(address.redact("[tcp @ 0x5] wrong se%40cret") == "[tcp @ 0x5] wrong ...")
        #expect(
            address.redact("Failed to open 'https://cdn/x.ts?sig=123' in playlist")
                == "Failed to open 'https://cdn/x.ts... in playlist"
        )
        #expect(address.redact("two  spaces, no address") == "two  spaces, no address")
    }
}
