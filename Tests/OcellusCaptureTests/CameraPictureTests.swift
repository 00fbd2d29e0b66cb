// SPDX-License-Identifier: Apache-2.0
import CAllocationCounter
import CLibc
import CScriptedCamera
import CV4L2
import OcellusMemory
import Testing

@testable import OcellusCapture
@testable import OcellusImage

/// What becomes of a camera's pictures.
@Suite(.serialized) struct CameraPictureTests {
    let slot = Slot(1 << 20)

    @Test("the driver's colours, with V4L2's defaults")
    func colors() throws {
        // colorspace, encoding, quantization: as videodev2.h numbers them.
        let cases: [(UInt32, UInt32, UInt32, ColorMatrix, ColorRange)] = [
            (8, 0, 0, .bt601, .limited),  // sRGB, as uvcvideo says
            (0, 0, 0, .bt601, .limited),
            (7, 0, 0, .bt601, .full),  // JPEG
            (3, 0, 0, .bt709, .limited),  // Rec. 709
            (10, 0, 0, .bt2020, .limited),  // BT.2020
            (8, 2, 1, .bt709, .full),  // said outright
        ]
        for (space, encoding, quantization, matrix, range) in cases {
            let camera = ScriptedCamera()
            scripted_camera_set_colors(camera.script, space, encoding, quantization)
            camera.push(1)
            let frame = try #require(try camera.open().take(slot.bytes)).frame
            #expect(frame.matrix == matrix, "colorspace \(space)")
            #expect(frame.range == range, "colorspace \(space)")
        }
    }

    @Test func rowsMayBePadded() throws {
        let camera = ScriptedCamera([("RGB3", 4, 2, 30)])
        scripted_camera_set_stride(camera.script, 16)
        var bytes = [UInt8](repeating: 9, count: 32)
        bytes[16] = 77
        try bytes.withUnsafeBufferPointer { bytes in
            camera.push(bytes)
            let frame = try #require(try camera.open().take(slot.bytes)).frame
            var row = [UInt8](repeating: 0, count: 3)
            frame.copyRow(1, from: 0, count: 1, into: &row)
            #expect(row[0] == 77)
        }
    }

    @Test func aStrideThatIsTooShortIsRefused() throws {
        let camera = ScriptedCamera([("RGB3", 4, 2, 30)])
        scripted_camera_set_stride(camera.script, 11)
        #expect(throws: CaptureError.self) { try camera.open() }
    }

    @Test("whole JPEGs are decoded, halves and garbage are left out")
    func motionJPEG() throws {
        let picture = try Fixture.bytes("images/small-420.jpg")
        let size = try #require(try PictureDecoder.size(of: picture.span, path: "fixture"))
        let camera = ScriptedCamera([("MJPG", size.width, size.height, 30)])
        let half = Array(picture[..<(picture.count / 2)])
        // Cameras put garbage behind the end.
        let padded = picture + [0, 0, 0x12, 0x34]
        let source = try camera.open()
        try half.withUnsafeBufferPointer { half in
            try padded.withUnsafeBufferPointer { padded in
                for round in 0..<3 {
                    camera.push(half, sequence: UInt32(2 * round))
                    usleep(20_000)
                    camera.push(padded, sequence: UInt32(2 * round + 1))
                    let frame = try #require(try source.take(slot.bytes)).frame
                    #expect(frame.number == 2 * round + 1)
                    #expect(frame.size == size)
                }
                // Half of it is enough.
                source.neededSize = ImageSize(width: size.width / 2, height: size.height / 2)
                camera.push(padded, sequence: 6)
                let frame = try #require(try source.take(slot.bytes)).frame
                #expect(frame.size.width == (size.width + 1) / 2)
            }
        }
        let expected = try PictureDecoder.decode(picture.span, path: "fixture", into: slot.bytes)
        #expect(expected.size == size)
        #expect(source.statistics.damaged == 3)
        #expect(camera.notices(with: "gave a damaged JPEG picture") == 1)
    }

    @Test func controlsAreSetByName() throws {
        let camera = ScriptedCamera()
        scripted_camera_add_control(camera.script, 0x9A0902, "Exposure Time, Absolute", 1, 500, 9)
        scripted_camera_add_control(camera.script, 0x9A0905, "Pan (Absolute)", -5, 5, 0)
        var settings = CameraSettings(controls: [("exposure_time_absolute", 200)])
        _ = try camera.open(settings)
        #expect(scripted_camera_control(camera.script, 0x9A0902) == 200)
        for (name, value, text) in [
            ("exposure_time_absolute", 501, "501 is not from 1 to 500"),
            ("focus", 1, "it has exposure_time_absolute, pan_absolute"),
        ] {
            settings.controls = [(name, value)]
            let thrown = #expect(throws: CaptureError.self) { try camera.open(settings) }
            #expect(try #require(thrown).description.contains(text))
        }
    }

    @Test("the capture thread allocates nothing for a picture", arguments: ["YUYV", "MJPG"])
    func theThreadAllocatesNothing(format: String) throws {
        let picture = try Fixture.bytes("images/small-420.jpg")
        let size = try #require(try PictureDecoder.size(of: picture.span, path: "fixture"))
        let camera = ScriptedCamera([(format, size.width, size.height, 30)])
        let device = try V4L2Device(path: "/dev/video7", calls: camera.calls)
        var wish = cv4l2_picture()
        wish.fourcc = try #require(FourCC(format)).code
        #expect(cv4l2_set_picture(device.camera, &wish) == 0)
        let agreement = try CameraAgreement(wish, limit: .standardLimit)
        let latest = LatestFrame(slotByteCount: agreement.slotByteCount)
        let loop = CaptureLoop(
            try V4L2Stream(device, agreement: agreement),
            latest: latest,
            counters: CaptureCounters(),
            stopEvent: try WakeEvent(),
            patience: 1_000_000_000,
            position: -1
        )
        picture.withUnsafeBufferPointer { bytes in
            let before = allocation_count()
            for sequence in 0..<20 as Range<UInt32> {
                if format == "MJPG" {
                    camera.push(bytes, sequence: sequence)
                } else {
                    camera.push(1, byteCount: agreement.slotByteCount, sequence: sequence)
                }
                if loop.turn() != nil { break }
            }
            #expect(allocation_count() == before)
        }
        #expect(loop.publishedCount == 20)
    }

    @Test("taking a picture allocates nothing", arguments: ["YUYV", "MJPG"])
    func takingAllocatesNothing(format: String) throws {
        let picture = try Fixture.bytes("images/small-420.jpg")
        let size = try #require(try PictureDecoder.size(of: picture.span, path: "fixture"))
        let camera = ScriptedCamera([(format, size.width, size.height, 30)])
        let source = try camera.open()
        try picture.withUnsafeBufferPointer { bytes in
            var before = 0
            var takenCount = 0
            for sequence in 0..<20 as Range<UInt32> {
                if format == "MJPG" {
                    camera.push(bytes, sequence: sequence)
                } else {
                    camera.push(1, byteCount: 3 * size.pixelCount, sequence: sequence)
                }
                if try source.next(into: slot.bytes) != nil { takenCount += 1 }
                // The decoder may keep memory from its first picture on.
                if sequence == 0 { before = allocation_count() }
            }
            #expect(allocation_count() == before)
            #expect(takenCount == 20)
        }
    }
}
