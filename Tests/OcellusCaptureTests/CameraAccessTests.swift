// SPDX-License-Identifier: Apache-2.0
import CScriptedCamera
import Testing

@testable import OcellusCapture
@testable import OcellusImage

/// Which cameras are read through libv4l2.
@Suite struct CameraAccessTests {
    let slot = Slot(1 << 20)

    /// A camera as libv4l2 shows it: with its own format, and cheaper ones that it makes of that.
    private func converted(_ own: String) -> ScriptedCamera {
        let library = ScriptedCamera([(own, 640, 480, 30)])
        scripted_camera_emulate(library.script)
        for name in ["RGB3", "YU12"] {
            scripted_camera_add_format(library.script, name, 640, 480, 30)
        }
        return library
    }

    @Test("what a camera has is preferred to what libv4l2 makes", arguments: ["MJPG", "YUYV"])
    func itsOwnFormat(name: String) throws {
        let camera = ScriptedCamera([("S561", 640, 480, 30), (name, 640, 480, 30)])
        let library = converted(name)
        camera.converted = library
        _ = try camera.open()
        #expect(camera.notices(with: ": 640x480 \(name) at 30/s, the cheapest") == 1)
        #expect(library.count(SCRIPTED_OPEN) == 0)
    }

    @Test func aCameraWithoutOurFormatsIsConverted() throws {
        let camera = ScriptedCamera([("S561", 640, 480, 30)])
        let library = converted("S561")
        camera.converted = library
        library.push(200, byteCount: 640 * 480 * 3 / 2)
        let source = try camera.open()
        #expect(try source.take(slot.bytes)?.frame.format == .yuv420)
        #expect(camera.notices(with: ": 640x480 YU12 that libv4l2 makes of S561 at 30/s") == 1)
        #expect(camera.count(SCRIPTED_S_FMT) == 0)
    }

    @Test func withoutLibv4l2ItIsRefusedWithAdvice() throws {
        let camera = ScriptedCamera([("S561", 640, 480, 30)])
        let thrown = #expect(throws: CaptureError.self) { try camera.open() }
        #expect(try #require(thrown).description.contains("but S561; libv4l2 may convert"))
    }
}
