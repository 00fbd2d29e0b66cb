// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusImage
import OcellusMemory
import Synchronization

/// Takes pictures from an ffmpeg child as they come, on a thread of its own: nothing queues up on the
/// way from the camera, and the newest picture wins.
///
/// A picture costs no allocation.
@safe
final class NetworkReader: @unchecked Sendable {
    // Sendable, proof: the thread alone uses `input` until `hasEnded`, and writes `end` and
    // `position`; the owner uses them after `finish`, which joins the thread. The rest never changes,
    // or is atomic.

    /// Why the pictures ended.
    enum End {
        /// The owner, or the stop signal, wanted it.
        case stopped
        /// No picture came in time.
        case silent
        /// ffmpeg ended, or wrote something else than pictures.
        case ended
    }

    /// The layout of all pictures of this connection.
    let layout: FrameLayout
    /// How many good pictures nobody looked at.
    let supersededCount = Atomic<Int>(0)

    private let input: InputStream
    private let latest: LatestFrame
    private let quit: StopSignal
    private let arrival: WakeEvent
    private let ended = Atomic<Bool>(false)
    private var end = End.ended
    private var position: Int

    /// How ffmpeg's Y4M writer begins each picture.
    private static let frameMarker: StaticString = "FRAME\n"

    /// - Parameters:
    ///   - input: the pictures, behind the header; it heeds `quit`, and has a patience.
    ///   - layout: of all pictures; they fit into the slots of `latest`.
    ///   - latest: where pictures go.
    ///   - arrival: raised for each picture, and at the end.
    ///   - quit: ends the reader.
    ///   - position: that of the last picture before, -1 at the start.
    init(
        _ input: InputStream,
        layout: FrameLayout,
        latest: LatestFrame,
        arrival: WakeEvent,
        quit: StopSignal,
        position: Int
    ) {
        precondition(layout.byteCount <= latest.slotByteCount)
        self.input = input
        self.layout = layout
        self.latest = latest
        self.arrival = arrival
        self.quit = quit
        self.position = position
    }

    /// Whether no more pictures will come.
    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    /// What the thread runs.
    func run() {
        while readPicture() {
            position += 1
            let picture = CapturedPicture(
                byteCount: layout.byteCount,
                number: position,
                captureTime: clibc_monotonic_nanoseconds()
            )
            if latest.publish(picture) { supersededCount.wrappingAdd(1, ordering: .relaxed) }
            arrival.raise()
        }
        end = quit.isRaised ? .stopped : input.wasSilent ? .silent : .ended
        ended.store(true, ordering: .releasing)
        arrival.raise()
    }

    /// Why the pictures ended, ffmpeg's last words, and the position of the last picture.
    ///
    /// - Precondition: the thread was joined.
    func finish() -> (end: End, message: String?, position: Int) {
        // A child that is silent, or was left, is ended with the input; it has nothing to say.
        let message = end == .ended ? input.failureOfProgram() : nil
        return (end, message, position)
    }

    private func readPicture() -> Bool {
        let marker = NetworkReader.frameMarker
        do throws(CaptureError) {
            try input.lookAhead(marker.utf8CodeUnitCount)
            let start = input.lookahead
            guard start.count >= marker.utf8CodeUnitCount else { return false }
            for offset in 0..<marker.utf8CodeUnitCount {
                // Safety: the offset is in the text.
                guard unsafe start[start.startIndex + offset] == marker.utf8Start[offset] else {
                    return false
                }
            }
            input.skip(marker.utf8CodeUnitCount)
            return try input.read(into: latest.slot, count: layout.byteCount) == layout.byteCount
        } catch {
            return false
        }
    }
}
