// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusMemory
import Synchronization

/// The thread that takes pictures from the driver as they come.
///
/// It runs a `CaptureLoop` from its start to the end of the stream, or until it is stopped. It raises
/// an event for every picture, and once more at the end.
final class CaptureThread {
    /// What both threads use.
    private final class Shared: @unchecked Sendable {
        // Sendable, proof: the thread alone uses `loop` and writes `end`; both are read by the owner
        // after it has joined the thread. The rest never changes, or is atomic.
        let loop: CaptureLoop
        let frameEvent: WakeEvent
        var end: CaptureLoop.End?
        let hasEnded = Atomic<Bool>(false)

        init(_ loop: CaptureLoop, frameEvent: WakeEvent) {
            self.loop = loop
            self.frameEvent = frameEvent
        }

        func run() {
            var published = loop.publishedCount
            while true {
                if let end = loop.turn() {
                    self.end = end
                    break
                }
                if loop.publishedCount != published {
                    published = loop.publishedCount
                    frameEvent.raise()
                }
            }
            hasEnded.store(true, ordering: .releasing)
            frameEvent.raise()
        }
    }

    private let shared: Shared
    private let stopEvent: WakeEvent
    private let thread: DedicatedThread
    /// Why the thread has no real-time priority; nil if it has.
    let priorityRefusal: String?

    /// The stack of the thread, in bytes: its deepest call is `memcpy`.
    private static let stackByteCount = 256 << 10

    /// Starts the thread.
    ///
    /// It gets a real-time priority, if the system permits: it must never keep the driver waiting, and
    /// it hardly works.
    ///
    /// - Parameters:
    ///   - loop: what it runs.
    ///   - frameEvent: raised for pictures and at the end.
    ///   - stopEvent: the loop's, which must not be raised yet.
    /// - Throws: `V4L2Failure` if the system has no thread left.
    init(_ loop: CaptureLoop, frameEvent: WakeEvent, stopEvent: WakeEvent) throws(V4L2Failure) {
        let shared = Shared(loop, frameEvent: frameEvent)
        thread = try DedicatedThread(stackByteCount: CaptureThread.stackByteCount) { shared.run() }
        priorityRefusal = thread.becomeRealtime()
        self.shared = shared
        self.stopEvent = stopEvent
    }

    deinit { _ = finish() }

    /// Whether the stream has ended.
    var hasEnded: Bool { shared.hasEnded.load(ordering: .acquiring) }

    /// Ends the thread if it still runs, and waits until it has.
    ///
    /// - Returns: why the stream ended, and the position of its last picture.
    func finish() -> (end: CaptureLoop.End, position: Int) {
        stopEvent.raise()
        thread.join()
        return (shared.end ?? .stopped, shared.loop.position)
    }
}
