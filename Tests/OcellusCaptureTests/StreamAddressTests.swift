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
