// SPDX-License-Identifier: Apache-2.0
import CLibc
import CV4L2
import OcellusImage
import OcellusMemory

/// Frames of a camera: always the newest one, through unplugging and bad pictures, for as long as
/// nobody asks it to stop.
///
/// A `CaptureThread` takes pictures from the driver; `next` waits for the newest one, and opens the
/// camera again, with growing pauses, when the thread has ended. Nothing is allocated while pictures
/// come.
final class CameraSource {
    /// The size that was agreed at the start; no later picture is larger.
    let maximumFrame: ImageSize
    /// The bytes of memory for pictures on their way, beside the driver's own.
    let memoryByteCount: Int
    /// The size that a picture needs to have, nil if all of it is wanted: JPEGs may then be decoded at
    /// a half, a quarter or an eighth of their size.
    var neededSize: ImageSize?

    private let address: CameraAddress
    private let settings: SourceSettings
    private let bus: VideoBus
    private let access: CameraAccess
    private let latest: LatestFrame
    private let counters = CaptureCounters()
    private let frameEvent: WakeEvent
    private let decoder: JPEGDecoder

    private var running: Running?
    private var position = -1
    private var usbAddress: String?
    private var journal = FaultJournal()
    private var counts = CaptureStatistics()
    private var toldCounts = (flagged: false, short: false, damaged: false, untimed: false)

    private var pace: LivePace
    /// When the first picture was taken.
    private var firstTime: Int64?
    /// When the last one was decoded, or the first in a row that could not be.
    private var lastDecoded: Int64

    /// A stream and its thread.
    private struct Running {
        let stream: V4L2Stream
        let thread: CaptureThread
    }

    /// Opens a camera and starts its stream.
    ///
    /// - Parameters:
    ///   - address: the camera.
    ///   - settings: what is wished; who is told.
    ///   - bus: where cameras are looked for.
    ///   - access: how it is reached.
    /// - Throws: `CaptureError.camera` with the fault that keeps the camera from giving pictures, or
    ///   with a control that cannot be set; `.stopped` if it was waited for in vain; `.image` if there
    ///   is no memory.
    init(
        _ address: CameraAddress,
        settings: SourceSettings,
        bus: VideoBus = VideoBus(),
        access: CameraAccess = .system
    ) throws(CaptureError) {
        let path = address.description
        let opened = try settings.waiting(for: path) { () throws(CaptureError) in
            try OpenCamera.first(address, settings: settings, bus: bus, access: access)
        }
        do throws(V4L2Failure) {
            frameEvent = try WakeEvent()
        } catch {
            throw .camera(error.fault(path: path))
        }
        let agreement = opened.stream.agreement
        do throws(ImageError) {
            decoder = try JPEGDecoder(width: agreement.size.width)
        } catch {
            throw .image(error)
        }
        maximumFrame = agreement.size
        latest = LatestFrame(slotByteCount: agreement.slotByteCount)
        memoryByteCount = 3 * agreement.slotByteCount
        neededSize = settings.camera.minimum
        self.address = address
        self.settings = settings
        self.bus = bus
        self.access = access
        pace = LivePace(period: settings.period)
        lastDecoded = clibc_monotonic_nanoseconds()
        do throws(V4L2Failure) {
            try run(opened)
        } catch {
            throw .camera(error.fault(path: path))
        }
        settings.report(.opened(opened.summary))
        for fault in opened.faults where journal.tells(fault) { settings.report(.fault(fault)) }
        if let reason = running?.thread.priorityRefusal {
            settings.report(.fault(.notRealtime(reason: reason)))
        }
    }

    /// What was counted so far.
    var statistics: CaptureStatistics {
        var all = counts
        all.superseded = counters.superseded.now
        all.lost = counters.lost.now
        all.flagged = counters.flagged.now
        all.short = counters.short.now
        all.damaged = counters.damaged.now
        all.untimed = counters.untimed.now
        return all
    }

    /// Waits for a picture that is newer than the last one, and if there is a period, until it is due.
    ///
    /// - Parameter slot: memory for the pixels of JPEG pictures, at least
    ///   `maximumFrame.frameByteCount` bytes.
    /// - Returns: a view of the slot or of memory of this source, valid until the next call; nil once
    ///   the stop signal came.
    /// - Throws: `CaptureError.image(.slotTooSmall)`.
    func next(into slot: Bytes) throws(CaptureError) -> Frame? {
        guard maximumFrame.frameByteCount <= slot.count else {
            throw .image(
                .slotTooSmall(
                    path: address.description,
                    neededBytes: maximumFrame.frameByteCount,
                    availableBytes: slot.count
                )
            )
        }
        while true {
            if let stop = settings.stop, stop.isRaised { return nil }
            tellBadPictures()
            guard let running else {
                reopenIfDue()
                continue
            }
            // Cleared before the looks below: what comes after them wakes the wait again.
            frameEvent.clear()
            if running.thread.hasEnded {
                endStream()
                continue
            }
            let rest = pace.timeToPicture()
            if rest <= 0, let taken = latest.take() {
                if let frame = frame(taken.picture, taken.bytes, slot: slot) {
                    noteDelivery()
                    return frame
                }
                continue
            }
            wait(frameEvent.descriptor, nanoseconds: rest > 0 ? rest : -1)
        }
    }

    private func frame(_ picture: CapturedPicture, _ bytes: Bytes, slot: Bytes) -> Frame? {
        guard let agreement = running?.stream.agreement else { return nil }
        let first = firstTime ?? picture.captureTime
        firstTime = first
        let timestamp = Duration.nanoseconds(max(0, picture.captureTime - first))
        if let layout = agreement.layout {
            return Frame(
                bytes,
                layout: layout,
                timestamp: timestamp,
                number: picture.number,
                captureTime: picture.captureTime
            )
        }
        do throws(ImageError) {
            var frame = try decoder.decode(
                bytes,
                into: slot,
                minimum: neededSize,
                limit: maximumFrame
            )
            frame.timestamp = timestamp
            frame.number = picture.number
            frame.captureTime = picture.captureTime
            lastDecoded = clibc_monotonic_nanoseconds()
            return frame
        } catch {
            noteDamaged(error)
            return nil
        }
    }

    private func noteDelivery() {
        counts.delivered += 1
        guard let outage = pace.noteDelivery() else { return }
        if journal.hasToldOutage {
            settings.report(.recovered(path: address.description, outage: outage))
        }
        journal.endOutage()
    }

    /// A JPEG that the markers let pass, and the decoder does not.
    private func noteDamaged(_ error: ImageError) {
        counters.damaged.count()
        if !toldCounts.damaged {
            toldCounts.damaged = true
            tell(.damaged(path: address.description, reason: CameraSource.reason(of: error)))
        }
        // The thread believes that all is well.
        let patience = settings.camera.patience
        if clibc_monotonic_nanoseconds() - lastDecoded > patience.nanoseconds {
            endStream(.silent(path: address.description, for: patience, hasSignal: true))
        }
    }

    private static func reason(of error: ImageError) -> String {
        if case .damaged(_, let reason) = error { return reason }
        return error.description
    }

    private func tellBadPictures() {
        let path = address.description
        if !toldCounts.flagged, counters.flagged.now > 0 {
            toldCounts.flagged = true
            tell(.flagged(path: path))
        }
        if !toldCounts.short, counters.short.now > 0 {
            toldCounts.short = true
            tell(
                .short(
                    path: path,
                    byteCount: counters.shortByteCount.now,
                    neededBytes: latest.slotByteCount
                )
            )
        }
        if !toldCounts.damaged, counters.damaged.now > 0 {
            toldCounts.damaged = true
            tell(.damaged(path: path, reason: "its end is missing"))
        }
        if !toldCounts.untimed, counters.untimed.now > 0 {
            toldCounts.untimed = true
            tell(.untimed(path: path))
        }
    }

    private func tell(_ fault: CaptureFault) {
        if journal.tells(fault) { settings.report(.fault(fault)) }
    }

    /// Starts the thread of a stream.
    private func run(_ opened: OpenCamera) throws(V4L2Failure) {
        usbAddress = opened.usbAddress
        let stopEvent = try WakeEvent()
        let loop = CaptureLoop(
            opened.stream,
            latest: latest,
            counters: counters,
            stopEvent: stopEvent,
            patience: patience(of: opened.stream.agreement),
            position: position
        )
        let thread = try CaptureThread(loop, frameEvent: frameEvent, stopEvent: stopEvent)
        running = Running(stream: opened.stream, thread: thread)
        lastDecoded = clibc_monotonic_nanoseconds()
    }

    /// Pictures that come rarely need more of it.
    private func patience(of agreement: CameraAgreement) -> Int64 {
        let usual = settings.camera.patience.nanoseconds
        guard let rate = agreement.rate, rate > 0 else { return usual }
        return max(usual, Int64(min(4e9 / rate, 1e12)))
    }

    /// Closes a stream that gives no more pictures, and tells why.
    ///
    /// - Parameter reason: why; nil: as the thread says.
    private func endStream(_ reason: CaptureFault? = nil) {
        guard let ended = running else { return }
        let (end, position) = ended.thread.finish()
        let fault = reason ?? fault(of: end, stream: ended.stream)
        self.position = position
        running = nil
        // What nobody took is from before the fault.
        _ = latest.take()
        var silence = Duration.zero
        if case .silent(_, let duration, _) = fault { silence = duration }
        if pace.noteFailure(after: silence) { counts.outages += 1 }
        if journal.tellsOutage(fault) { settings.report(.fault(fault)) }
    }

    private func fault(of end: CaptureLoop.End, stream: V4L2Stream) -> CaptureFault {
        let path = stream.device.path
        switch end {
        case .stopped: return .absent(path: path)
        case .silent:
            return .silent(
                path: path,
                for: .nanoseconds(patience(of: stream.agreement)),
                hasSignal: stream.device.hasSignal
            )
        case .badIndex:
            return .failed(
                path: path,
                call: "VIDIOC_DQBUF",
                reason: "the driver gave a buffer that does not exist"
            )
        case .failed(let call, let number):
            let failure = V4L2Failure(call: "\(call)", number: number)
            return failure.isUnplugged
                ? .unplugged(path: path, usbAddress: usbAddress) : failure.fault(path: path)
        }
    }

    /// Opens the camera again when it is time, or waits for that time.
    private func reopenIfDue() {
        let rest = pace.timeToAttempt()
        if rest > 0 { return wait(-1, nanoseconds: rest) }
        do throws(CaptureFault) {
            let opened = try OpenCamera(
                address,
                settings: settings.camera,
                limits: OpenCamera.Limits(
                    size: maximumFrame,
                    slotByteCount: latest.slotByteCount
                ),
                bus: bus,
                access: access
            )
            for fault in opened.faults { tell(fault) }
            do throws(V4L2Failure) {
                try run(opened)
            } catch {
                throw error.fault(path: address.description)
            }
        } catch {
            counts.failedReopens += 1
            _ = pace.noteFailure()
            if journal.tellsOutage(error) { settings.report(.fault(error)) }
        }
    }

    /// Waits for a descriptor, the stop signal or the end of a time; -1: for ever.
    private func wait(_ descriptor: Int32, nanoseconds: Int64) {
        _ = clibc_wait_readable(descriptor, settings.stop?.descriptor ?? -1, -1, nanoseconds)
    }
}
