// SPDX-License-Identifier: Apache-2.0
import CLibc
import CScriptedCamera
import CV4L2
import OcellusMemory
import Synchronization

@testable import OcellusCapture
@testable import OcellusImage

/// A camera that does what a test says, and the source that watches it.
final class ScriptedCamera: @unchecked Sendable {  // its script has a lock of its own
    /// Never freed: a source that is closing may outlive the test's last use of this object.
    let script: OpaquePointer
    private let told = Told()

    /// What the source told.
    private final class Told: Sendable {
        let lines = Mutex<[String]>([])
    }

    init(_ formats: [(String, Int, Int, Int)] = [("YUYV", 64, 48, 30)]) {
        script = scripted_camera_new()
        for (name, width, height, rate) in formats {
            name.withCString {
                scripted_camera_add_format(
                    script,
                    $0,
                    UInt32(width),
                    UInt32(height),
                    UInt32(rate)
                )
            }
        }
    }

    var calls: CameraCalls { CameraCalls(table: scripted_camera_calls(script)) }

    /// What a library makes of this camera; nil: there is no library.
    var converted: ScriptedCamera?

    private var access: CameraAccess {
        let library = converted?.calls
        return CameraAccess(direct: calls, converting: { library })
    }

    /// What the source told, one line each.
    var notices: [String] { told.lines.withLock { $0 } }

    func notices(with text: String) -> Int { notices.filter { $0.contains(text) }.count }

    func fail(_ call: scripted_call, _ error: Int32, times: Int32 = 1) {
        scripted_camera_fail(script, call, error, times)
    }

    func count(_ call: scripted_call) -> Int { Int(scripted_camera_count(script, call)) }

    /// Fills a buffer with a byte.
    func push(
        _ fill: UInt8,
        byteCount: Int = 64 * 48 * 2,
        sequence: UInt32 = 0,
        flags: UInt32 = monotonic,
        time: Int64? = nil,
        index: Int32 = -1
    ) {
        var picture = scripted_picture()
        picture.fill = fill
        picture.byte_count = UInt32(byteCount)
        picture.sequence = sequence
        picture.flags = flags
        picture.nanoseconds = time ?? clibc_monotonic_nanoseconds()
        picture.index = index
        scripted_camera_push(script, &picture)
    }

    /// Fills a buffer with bytes, which must live until they are taken.
    func push(_ bytes: UnsafeBufferPointer<UInt8>, sequence: UInt32 = 0) {
        var picture = scripted_picture()
        picture.bytes = UnsafeRawPointer(bytes.baseAddress)
        picture.byte_count = UInt32(bytes.count)
        picture.sequence = sequence
        picture.flags = ScriptedCamera.monotonic
        picture.nanoseconds = clibc_monotonic_nanoseconds()
        picture.index = -1
        scripted_camera_push(script, &picture)
    }

    /// A patience that ends: for tests of silent cameras.
    static let impatient = CameraSettings(patience: .milliseconds(300))

    /// Opens the camera as `ocellus watch` does; a slow machine is no silent camera.
    func open(
        _ camera: CameraSettings = CameraSettings(patience: .seconds(60)),
        source: String = "/dev/video7",
        period: Duration? = nil,
        stop: StopSignal? = nil,
        awaits: Bool = false,
        bus: VideoBus = VideoBus(system: "/nowhere", devices: "/nowhere")
    ) throws -> CameraSource {
        let told = told
        return try CameraSource(
            CameraAddress(source) ?? .path(source),
            settings: SourceSettings(
                path: source,
                period: period,
                stop: stop,
                camera: camera,
                awaitsSource: awaits,
                report: { notice in told.lines.withLock { $0.append(notice.description) } }
            ),
            bus: bus,
            access: access
        )
    }

    /// V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC.
    static let monotonic: UInt32 = 0x2000
    /// V4L2_BUF_FLAG_ERROR.
    static let flagged: UInt32 = 0x40
}

extension CameraSource {
    /// The next frame, and the first byte of it.
    func take(_ slot: Bytes) throws -> (frame: Frame, first: UInt8)? {
        guard let frame = try next(into: slot) else { return nil }
        var row = [UInt8](repeating: 0, count: 3)
        _ = row.withUnsafeMutableBufferPointer { out in
            out.baseAddress.map { frame.copyRow(0, from: 0, count: 1, into: $0) }
        }
        return (frame, row[0])
    }
}
