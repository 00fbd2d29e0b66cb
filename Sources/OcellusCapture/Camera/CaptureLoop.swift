// SPDX-License-Identifier: Apache-2.0
import CLibc
import CV4L2
import OcellusMemory
import Synchronization

/// What the capture thread does: it waits for pictures, leaves out the bad ones, and hands over the
/// newest good one, until it is stopped or the stream fails.
///
/// One turn waits once, takes everything that the driver has filled, copies the newest good picture
/// and gives all buffers back. A turn allocates nothing; a test counts.
@safe
final class CaptureLoop {
    /// Why a stream ended.
    enum End {
        case stopped
        /// No good picture came in time.
        case silent
        /// A call failed.
        case failed(call: StaticString, number: Int32)
        /// The driver named a buffer that does not exist.
        case badIndex
    }

    private let stream: V4L2Stream
    private let camera: UnsafeMutablePointer<cv4l2_camera>
    private let latest: LatestFrame
    private let counters: CaptureCounters
    private let stopEvent: WakeEvent
    private let patience: Int64
    /// How far ahead a driver's time may be, in nanoseconds.
    private let ahead: Int64
    private let isJPEG: Bool
    private let neededByteCount: Int

    /// The position of the last picture, over all streams of a source.
    private(set) var position: Int
    /// How many pictures were handed over.
    private(set) var publishedCount = 0
    private var lastSequence: UInt32?
    private var lastGood: Int64

    /// How old a driver's time may be before it is not believed, in nanoseconds.
    private static let oldest: Int64 = 10_000_000_000
    /// How far ahead it may be, beside the time of a picture, of which it may say the end.
    private static let ahead: Int64 = 100_000_000
    /// How long to rest if the device can be read but has nothing, in milliseconds.
    private static let restMilliseconds: Int32 = 5

    /// Prepares the first turn.
    ///
    /// - Parameters:
    ///   - stream: a running stream.
    ///   - latest: where pictures go; its slots hold at least `agreement.slotByteCount` bytes.
    ///   - counters: what is counted.
    ///   - stopEvent: raised once the loop shall end.
    ///   - patience: how long no good picture may come, in nanoseconds.
    ///   - position: that of the last picture before, -1 at the start.
    init(
        _ stream: V4L2Stream,
        latest: LatestFrame,
        counters: CaptureCounters,
        stopEvent: WakeEvent,
        patience: Int64,
        position: Int
    ) {
        precondition(latest.slotByteCount >= stream.agreement.slotByteCount)
        self.stream = stream
        unsafe camera = stream.device.camera
        self.latest = latest
        self.counters = counters
        self.stopEvent = stopEvent
        self.patience = patience
        let rate = stream.agreement.rate ?? 0
        ahead = CaptureLoop.ahead + (rate > 0 ? Int64(min(1e9 / rate, 10e9)) : 0)
        isJPEG = stream.agreement.layout == nil
        neededByteCount = stream.agreement.slotByteCount
        self.position = position
        lastGood = clibc_monotonic_nanoseconds()
    }

    /// Waits once and hands over the newest good picture, if one came.
    ///
    /// - Returns: why the stream ended; nil if it goes on.
    func turn() -> End? {
        let rest = lastGood + patience - clibc_monotonic_nanoseconds()
        if rest <= 0 { return .silent }
        let milliseconds = Int32(truncatingIfNeeded: min(rest / 1_000_000 + 1, 1_000_000))
        let found = unsafe cv4l2_wait(camera, stopEvent.descriptor, milliseconds)
        if found < 0 { return found == -EINTR ? nil : .failed(call: "poll", number: -found) }
        if found & Int32(CV4L2_STOP) != 0 { return .stopped }
        if found == 0 { return nil }
        var newest = cv4l2_filled()
        var hasNewest = false
        var takenCount = 0
        // Every buffer once: the driver may fill them faster than they are given back.
        while takenCount < stream.bufferCount {
            var filled = cv4l2_filled()
            let result = unsafe cv4l2_dequeue(camera, &filled)
            if result == -EAGAIN { break }
            if result < 0 { return .failed(call: "VIDIOC_DQBUF", number: -result) }
            guard filled.index < UInt32(stream.bufferCount) else { return .badIndex }
            takenCount += 1
            advance(to: filled.sequence)
            guard isGood(filled) else {
                if let end = giveBack(filled.index) { return end }
                continue
            }
            if hasNewest {
                counters.superseded.count()
                if let end = giveBack(newest.index) { return end }
            }
            newest = filled
            hasNewest = true
        }
        if hasNewest {
            handOver(newest)
            return giveBack(newest.index)
        }
        if takenCount == 0 {
            if found & Int32(CV4L2_FAILURE) != 0 { return .failed(call: "poll", number: EIO) }
            // It can be read but has nothing: a driver's mistake must not make a busy loop.
            unsafe cv4l2_rest(camera, stopEvent.descriptor, CaptureLoop.restMilliseconds)
        }
        return nil
    }

    private func giveBack(_ index: UInt32) -> End? {
        let result = unsafe cv4l2_queue(camera, index)
        return result < 0 ? .failed(call: "VIDIOC_QBUF", number: -result) : nil
    }

    /// Counts positions by the driver's sequence numbers, which wrap at 2^32.
    private func advance(to sequence: UInt32) {
        var step = 1
        if let lastSequence {
            let difference = sequence &- lastSequence
            // A number that stays or goes back is a driver that counts otherwise, or began again.
            if difference > 0, difference < 1 << 31 { step = Int(difference) }
        }
        lastSequence = sequence
        position += step
        if step > 1 { counters.lost.count(step - 1) }
    }

    private func isGood(_ filled: cv4l2_filled) -> Bool {
        if filled.is_flagged != 0 || !stream.isPossible(filled) {
            counters.flagged.count()
            return false
        }
        if isJPEG { return true }  // Looked at when it is copied: the driver's memory may be slow.
        let missing = stream.missingByteCount(filled)
        if missing > 0 {
            counters.short.count()
            counters.shortByteCount.store(neededByteCount - missing, ordering: .relaxed)
            return false
        }
        return true
    }

    private func handOver(_ filled: cv4l2_filled) {
        let slot = unsafe latest.slot.base
        let byteCount = unsafe stream.copy(filled, to: slot)
        if isJPEG, unsafe !JPEGMarkers.areComplete(slot, byteCount) {
            counters.damaged.count()
            return
        }
        let now = clibc_monotonic_nanoseconds()
        var time = filled.nanoseconds
        // Some drivers stamp with another clock, or with one that wraps. uvcvideo reckons with the
        // camera's clock, and may be a little ahead; vivid says when a picture will have ended.
        if filled.is_monotonic == 0 || time > now + ahead
            || time < now - CaptureLoop.oldest
        {
            time = now
            counters.untimed.count()
        }
        time = min(time, now)
        lastGood = now
        let picture = CapturedPicture(byteCount: byteCount, number: position, captureTime: time)
        if latest.publish(picture) { counters.superseded.count() }
        publishedCount += 1
    }
}
