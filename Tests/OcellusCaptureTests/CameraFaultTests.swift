// SPDX-License-Identifier: Apache-2.0
import CLibc
import CScriptedCamera
import OcellusImage
import Testing

@testable import OcellusCapture

/// Every fault has one outcome, is told once, and is counted.
@Suite(.serialized) struct CameraFaultTests {
    let slot = Slot(1 << 20)

    @Test func theNewestPictureIsGiven() throws {
        let camera = ScriptedCamera()
        for index in 0..<4 { camera.push(UInt8(10 * index), sequence: UInt32(index)) }
        let source = try camera.open()
        let taken = try #require(try source.take(slot.bytes))
        #expect(taken.frame.number == 3)
        #expect(source.statistics.superseded == 3)
        #expect(source.statistics.delivered == 1)
        #expect(taken.frame.size == ImageSize(width: 64, height: 48))
        let latency = clibc_monotonic_nanoseconds() - (try #require(taken.frame.captureTime))
        #expect((0..<60_000_000_000).contains(latency))
        #expect(camera.notices[0].contains("/dev/video7 (A script?[31m, scripted): 64x48 YUYV"))
    }

    @Test("calls that a signal interrupts are made again")
    func interrupted() throws {
        let camera = ScriptedCamera()
        for call in [
            SCRIPTED_OPEN, SCRIPTED_QUERYCAP, SCRIPTED_S_FMT, SCRIPTED_REQBUFS, SCRIPTED_QUERYBUF,
            SCRIPTED_QBUF, SCRIPTED_STREAMON, SCRIPTED_POLL, SCRIPTED_DQBUF,
        ] { camera.fail(call, EINTR, times: 2) }
        camera.push(1)
        let source = try camera.open()
        #expect(try source.take(slot.bytes) != nil)
        #expect(source.statistics.outages == 0)
    }

    @Test("a device that can be read and has nothing makes no busy loop")
    func nothingToRead() throws {
        let camera = ScriptedCamera()
        scripted_camera_wake(camera.script, 1_000_000)
        let source = try camera.open()
        camera.push(1)
        #expect(try source.take(slot.bytes) != nil)
        let (start, before) = (clibc_monotonic_nanoseconds(), camera.count(SCRIPTED_DQBUF))
        usleep(200_000)
        let count = camera.count(SCRIPTED_DQBUF) - before
        // A rest of 5 ms each.
        #expect(count <= Int(clibc_monotonic_nanoseconds() - start) / 2_000_000)
    }

    @Test(
        "what keeps a camera from opening is said with advice",
        arguments: [
            (EBUSY, "in use by another program"), (EACCES, "may not be opened by this user"),
            (ENOENT, "is not there"), (EIO, "failed (open: Input/output error)"),
        ]
    )
    func cannotOpen(error: Int32, text: String) throws {
        let camera = ScriptedCamera()
        camera.fail(SCRIPTED_OPEN, error)
        let thrown = #expect(throws: CaptureError.self) { try camera.open() }
        #expect(try #require(thrown).description.contains(text))
    }

    @Test(
        "another program's stream is told as that",
        arguments: [SCRIPTED_S_FMT, SCRIPTED_STREAMON]
    )
    func busy(call: scripted_call) throws {
        let camera = ScriptedCamera()
        camera.fail(call, EBUSY)
        let thrown = #expect(throws: CaptureError.self) { try camera.open() }
        #expect(try #require(thrown).description.contains("fuser -v /dev/video7"))
    }

    @Test("a camera that is not there yet is waited for, if that is wished")
    func awaited() throws {
        let camera = ScriptedCamera()
        scripted_camera_unplug(camera.script)
        // As udev has it: the device is there before the user may open it.
        camera.fail(SCRIPTED_OPEN, EACCES)
        BackgroundThread.start {
            while camera.count(SCRIPTED_OPEN) < 2 { usleep(1000) }
            scripted_camera_plug(camera.script)
        }
        let source = try camera.open(awaits: true)
        camera.push(1)
        #expect(try source.take(slot.bytes) != nil)
        #expect(camera.notices(with: "is not there yet; waiting for it") == 1)
        #expect(camera.notices(with: "may not be opened by this user") == 1)
        #expect(camera.notices(with: "64x48 YUYV") == 1)
        #expect(source.statistics.outages == 0)
    }

    @Test func waitingForACameraEndsWithAStop() throws {
        let camera = ScriptedCamera()
        scripted_camera_unplug(camera.script)
        let stop = try StopSignal()
        stop.raise()
        let thrown = #expect(throws: CaptureError.self) {
            try camera.open(stop: stop, awaits: true)
        }
        guard case .stopped = thrown else {
            Issue.record("\(String(describing: thrown))")
            return
        }
    }

    @Test("a camera that another program still has is waited for, if that is wished")
    func busyAtFirst() throws {
        let camera = ScriptedCamera()
        camera.fail(SCRIPTED_S_FMT, EBUSY, times: 3)
        let source = try camera.open(awaits: true)
        camera.push(1)
        #expect(try source.take(slot.bytes) != nil)
        #expect(camera.notices(with: "in use by another program") == 1)
        #expect(camera.notices(with: "64x48 YUYV") == 1)
        #expect(source.statistics.outages == 0)
    }

    @Test("what does not pass is not waited for", arguments: [EACCES, EIO])
    func notAwaited(error: Int32) throws {
        let camera = ScriptedCamera()
        camera.fail(SCRIPTED_OPEN, error)
        #expect(throws: CaptureError.self) { try camera.open(awaits: true) }
    }

    @Test func aMetadataNodeIsNoCamera() throws {
        let camera = ScriptedCamera()
        // V4L2_CAP_META_CAPTURE and V4L2_CAP_STREAMING.
        scripted_camera_set_capabilities(camera.script, 0x0480_0000)
        let thrown = #expect(throws: CaptureError.self) { try camera.open() }
        #expect(try #require(thrown).description.contains("gives data about pictures, no pictures"))
    }

    @Test("unplugged and plugged in again, it goes on with new pictures")
    func unplugged() throws {
        let camera = ScriptedCamera()
        camera.push(1, sequence: 7)
        let source = try camera.open()
        #expect(try source.take(slot.bytes)?.frame.number == 0)
        let openedCount = camera.count(SCRIPTED_OPEN)
        scripted_camera_unplug(camera.script)
        BackgroundThread.start {
            // Back once it was looked for in vain.
            while camera.count(SCRIPTED_OPEN) == openedCount { usleep(1000) }
            scripted_camera_plug(camera.script)
        }
        let feeder = Feeder(camera)
        feeder.start()
        defer { feeder.stop() }
        let taken = try #require(try source.take(slot.bytes))
        #expect(taken.frame.number > 0)
        #expect(source.statistics.outages == 1)
        #expect(source.statistics.failedReopens >= 1)
        #expect(camera.notices(with: "was unplugged") == 1)
        #expect(camera.notices(with: "is not there") == 0)
        #expect(camera.notices(with: "gives pictures again") == 1)
    }

    @Test(
        "a fatal error ends the stream, and it is opened again",
        arguments: [SCRIPTED_DQBUF, SCRIPTED_QBUF, SCRIPTED_POLL]
    )
    func fatal(call: scripted_call) throws {
        let camera = ScriptedCamera()
        camera.push(1)
        let source = try camera.open()
        #expect(try source.take(slot.bytes) != nil)
        camera.fail(call, EIO)
        camera.push(2)
        let feeder = Feeder(camera)
        feeder.start()
        defer { feeder.stop() }
        while source.statistics.outages == 0 { #expect(try source.take(slot.bytes) != nil) }
        #expect(source.statistics.outages == 1)
        #expect(camera.notices(with: "Input/output error") == 1)
        #expect(camera.notices(with: "gives pictures again") == 1)
    }

    @Test func aBufferThatDoesNotExistEndsTheStream() throws {
        let camera = ScriptedCamera()
        let source = try camera.open()
        camera.push(1, index: 77)
        let feeder = Feeder(camera)
        feeder.start()
        defer { feeder.stop() }
        #expect(try source.take(slot.bytes) != nil)
        #expect(source.statistics.outages == 1)
        #expect(camera.notices(with: "a buffer that does not exist") == 1)
    }

    @Test func silenceIsNoticed() throws {
        let camera = ScriptedCamera()
        let start = clibc_monotonic_nanoseconds()
        let source = try camera.open(ScriptedCamera.impatient)
        let feeder = Feeder(camera) {
            camera.notices(with: "gave no good picture for") == 0 ? .nothing : .good
        }
        feeder.start()
        defer { feeder.stop() }
        #expect(try source.take(slot.bytes) != nil)
        #expect(clibc_monotonic_nanoseconds() - start > 300_000_000)
        #expect(source.statistics.outages == 1)
        #expect(camera.notices(with: "gave no good picture for") == 1)
    }

    @Test func silenceWithoutASignalIsToldAsThat() throws {
        let camera = ScriptedCamera()
        scripted_camera_lose_signal(camera.script)
        let source = try camera.open(ScriptedCamera.impatient)
        let feeder = Feeder(camera) {
            camera.notices(with: "its input has no signal") == 0 ? .nothing : .good
        }
        feeder.start()
        defer { feeder.stop() }
        #expect(try source.take(slot.bytes) != nil)
        #expect(camera.notices(with: "its input has no signal") == 1)
    }

    @Test("pictures that are larger than those of the start are refused with advice")
    func anotherCameraUnderTheName() throws {
        let camera = ScriptedCamera([("YUYV", 1280, 720, 30)])
        let bus = VideoBus(system: "/nowhere", devices: "/nowhere")
        for substitutes in [false, true] {
            // Also a driver that answers with something else than what it was asked for.
            if substitutes { scripted_camera_substitute(camera.script) }
            var wishes = CameraSettings()
            if substitutes { wishes.format = FourCC("GREY") }
            let fault = #expect(throws: CaptureFault.self) {
                _ = try OpenCamera(
                    .path("/dev/video7"),
                    settings: wishes,
                    limits: OpenCamera.Limits(size: ImageSize(width: 640, height: 480)),
                    bus: bus,
                    access: CameraAccess(direct: camera.calls, converting: { nil })
                )
            }
            let text = try #require(fault).description
            #expect(text.contains("larger than 640x480, for which memory is planned"), "\(text)")
        }
    }

    @Test("bad pictures are left out, told once and counted")
    func badPictures() throws {
        let camera = ScriptedCamera()
        let source = try camera.open()
        for round in 0..<3 {
            camera.push(1, sequence: UInt32(4 * round), flags: ScriptedCamera.flagged)
            camera.push(2, byteCount: 64 * 48 * 2 - 1, sequence: UInt32(4 * round + 1))
            camera.push(3, byteCount: 0, sequence: UInt32(4 * round + 2))
            camera.push(200, sequence: UInt32(4 * round + 3))
            let taken = try #require(try source.take(slot.bytes))
            #expect(taken.frame.number == 4 * round + 3)
            #expect(taken.first > 100)
        }
        _ = try {
            camera.push(200, sequence: 12); return try source.take(slot.bytes)
        }()
        #expect(source.statistics.flagged == 3)
        #expect(source.statistics.short == 6)
        #expect(source.statistics.bad == 9)
        #expect(camera.notices(with: "marked a picture as damaged") == 1)
        #expect(camera.notices(with: "bytes, 6144 are needed") == 1)
    }

    @Test("a buffer that says more bytes than it has is not read")
    func tooManyBytes() throws {
        let camera = ScriptedCamera()
        let source = try camera.open()
        camera.push(1, byteCount: 1 << 30)
        camera.push(2, sequence: 1)
        #expect(try source.take(slot.bytes)?.frame.number == 1)
        #expect(source.statistics.flagged == 1)
    }

    @Test("only bad pictures are silence")
    func onlyBadPictures() throws {
        let camera = ScriptedCamera()
        let source = try camera.open(ScriptedCamera.impatient)
        let feeder = Feeder(camera) {
            camera.notices(with: "gave no good picture") == 0 ? .bad : .good
        }
        feeder.start()
        defer { feeder.stop() }
        #expect(try source.take(slot.bytes) != nil)
        #expect(source.statistics.outages == 1)
        #expect(source.statistics.flagged > 0)
        #expect(camera.notices(with: "gave no good picture") == 1)
    }

    @Test("numbers and times may wrap")
    func wraps() throws {
        let camera = ScriptedCamera()
        let source = try camera.open()
        var numbers: [Int] = []
        for sequence: UInt32 in [.max - 1, .max, 0, 3, 3, 2] {
            camera.push(1, sequence: sequence)
            numbers.append(try #require(try source.take(slot.bytes)).frame.number)
        }
        // A gap of two; what stays or goes back is one more.
        #expect(numbers == [0, 1, 2, 5, 6, 7])
        #expect(source.statistics.lost == 2)
        // A driver may say when a picture will have ended, up to 33 ms later.
        camera.push(1, time: clibc_monotonic_nanoseconds() + 120_000_000)
        _ = try source.take(slot.bytes)
        #expect(source.statistics.untimed == 0)
        for time in [Int64.max - 1, 0, 5, clibc_monotonic_nanoseconds() + 60_000_000_000] {
            let before = clibc_monotonic_nanoseconds()
            camera.push(1, time: time)
            let taken = try #require(try source.take(slot.bytes)?.frame.captureTime)
            #expect((before...clibc_monotonic_nanoseconds()).contains(taken))
        }
        camera.push(1, flags: 0)
        _ = try source.take(slot.bytes)
        #expect(source.statistics.untimed == 5)
        #expect(camera.notices(with: "has no usable clock") == 1)
    }

    @Test func aSubstitutedFormatIsUsedAndTold() throws {
        let camera = ScriptedCamera([("YUYV", 64, 48, 30)])
        scripted_camera_substitute(camera.script)
        camera.push(1)
        var wishes = CameraSettings(size: ImageSize(width: 1280, height: 720))
        wishes.format = FourCC("MJPG")
        let source = try camera.open(wishes)
        #expect(try source.take(slot.bytes)?.frame.format == .yuyv)
        #expect(camera.notices(with: "gives YUYV instead of MJPG") == 1)
        #expect(source.maximumFrame == ImageSize(width: 64, height: 48))
    }

    @Test func aStopEndsAWait() throws {
        let camera = ScriptedCamera()
        let stop = try StopSignal()
        let source = try camera.open(stop: stop)
        stop.raise()
        #expect(try source.take(slot.bytes) == nil)
    }

    @Test("with a period, the newest picture when it is due")
    func period() throws {
        let camera = ScriptedCamera()
        let feeder = Feeder(camera)
        feeder.start()
        defer { feeder.stop() }
        let source = try camera.open(period: .milliseconds(200))
        let start = clibc_monotonic_nanoseconds()
        for _ in 0..<4 { #expect(try source.take(slot.bytes) != nil) }
        let took = clibc_monotonic_nanoseconds() - start
        #expect(took > 550_000_000)
        #expect(source.statistics.superseded > 0)
    }
}
