// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusImage
import OcellusMemory

/// A live stream from the network, through an ffmpeg child that is started again, with growing pauses,
/// whenever it ends, fails or gives no pictures.
///
/// `next` gives the newest picture, each one once. Nothing is allocated while pictures come.
@safe
final class NetworkStream {
    /// The size of the first connection; pictures of later ones are scaled to fit.
    let maximumFrame: ImageSize
    /// The bytes of memory for pictures on their way.
    var memoryByteCount: Int { 3 * latest.slotByteCount }

    private let address: StreamAddress
    private let settings: SourceSettings
    private let latest: LatestFrame
    private let arrival: WakeEvent
    private var running: Running?
    private var position = -1
    private var journal = FaultJournal()
    private var counts = CaptureStatistics()

    private var pace: LivePace
    /// When the first picture came.
    private var firstTime: Int64?
    /// When the last one was handed out.
    private var lastDelivery = clibc_monotonic_nanoseconds()

    /// A connection, and the thread that reads from it.
    private struct Running {
        let connection: NetworkConnection
        let reader: NetworkReader
        let thread: DedicatedThread
    }

    /// The age of a picture that is handed out although its connection has ended.
    private static let freshNanoseconds: Int64 = 1_000_000_000
    private static let stackByteCount = 256 << 10

    /// Connects, and waits for the first picture.
    ///
    /// - Parameters:
    ///   - address: what to connect to.
    ///   - settings: what is wished; who is told.
    ///   - hasAnswered: whether the server is known to have sent something.
    /// - Throws: as `NetworkConnection.init`.
    init(
        _ address: StreamAddress,
        settings: SourceSettings,
        hasAnswered: Bool
    ) throws(CaptureError) {
        let connection = try NetworkConnection(
            address,
            box: settings.limit,
            patience: settings.patience,
            hasAnswered: hasAnswered,
            stop: settings.stop
        )
        do throws(V4L2Failure) {
            arrival = try WakeEvent()
        } catch {
            throw .camera(error.fault(path: address.display))
        }
        maximumFrame = connection.layout.size
        latest = LatestFrame(slotByteCount: connection.layout.byteCount)
        self.address = address
        self.settings = settings
        pace = LivePace(period: settings.period)
        try run(connection)
        NetworkConnection.declare(address, box: maximumFrame)
        settings.report(.opened(summary(connection.layout)))
    }

    deinit { _ = endReader() }

    /// What was counted so far.
    var statistics: CaptureStatistics {
        var all = counts
        all.superseded += running?.reader.supersededCount.now ?? 0
        return all
    }

    /// Waits for a picture that is newer than the last one, and if there is a period, until it is due.
    ///
    /// - Returns: a view of memory of this stream, valid until the next call; nil once the stop signal
    ///   came.
    func next() -> Frame? {
        while true {
            if let stop = settings.stop, stop.isRaised { return nil }
            guard let running else {
                connectIfDue()
                continue
            }
            // Cleared before the looks below: what comes after them wakes the wait again.
            arrival.clear()
            let hasEnded = running.reader.hasEnded
            let now = clibc_monotonic_nanoseconds()
            let rest = pace.timeToPicture(now)
            // A server may send one picture and hang up; an older one is from before the fault.
            if rest <= 0, let taken = latest.take(),
                !hasEnded || now - taken.picture.captureTime < NetworkStream.freshNanoseconds
            {
                noteDelivery()
                let first = firstTime ?? taken.picture.captureTime
                firstTime = first
                return Frame(
                    taken.bytes,
                    layout: running.reader.layout,
                    timestamp: .nanoseconds(taken.picture.captureTime - first),
                    number: taken.picture.number,
                    captureTime: taken.picture.captureTime
                )
            }
            if hasEnded {
                endConnection()
            } else {
                wait(arrival.descriptor, nanoseconds: rest > 0 ? rest : -1)
            }
        }
    }

    private func noteDelivery() {
        let now = clibc_monotonic_nanoseconds()
        lastDelivery = now
        counts.delivered += 1
        guard let outage = pace.noteDelivery(at: now) else { return }
        if journal.hasToldOutage {
            settings.report(.recovered(path: address.display, outage: outage))
        }
        journal.endOutage()
    }

    private func run(_ connection: NetworkConnection) throws(CaptureError) {
        let reader = NetworkReader(
            connection.input,
            layout: connection.layout,
            latest: latest,
            arrival: arrival,
            quit: connection.quit,
            position: position
        )
        do throws(V4L2Failure) {
            let thread = try DedicatedThread(stackByteCount: NetworkStream.stackByteCount) {
                reader.run()
            }
            running = Running(connection: connection, reader: reader, thread: thread)
        } catch {
            throw .camera(error.fault(path: address.display))
        }
    }

    /// Ends the thread and the connection; nothing of it is left over.
    private func endReader() -> (end: NetworkReader.End, message: String?)? {
        guard let ended = running else { return nil }
        ended.connection.quit.raise()
        ended.thread.join()
        let (end, message, position) = ended.reader.finish()
        self.position = position
        counts.superseded += ended.reader.supersededCount.now
        running = nil
        // What nobody took is from before the fault.
        _ = latest.take()
        return (end, message)
    }

    private func endConnection() {
        guard let (end, message) = endReader() else { return }
        let now = clibc_monotonic_nanoseconds()
        if pace.noteFailure(after: .nanoseconds(now - lastDelivery), at: now) {
            counts.outages += 1
        }
        switch end {
        case .stopped: return
        case .silent: tell(.stalled(path: address.display, for: settings.patience))
        case .ended:
            tell(.disconnected(path: address.display, reason: message))
        }
    }

    /// Connects again when it is time, or waits for that time.
    private func connectIfDue() {
        let rest = pace.timeToAttempt()
        if rest > 0 { return wait(-1, nanoseconds: rest) }
        do throws(CaptureError) {
            let connection = try NetworkConnection(
                address,
                box: maximumFrame,
                patience: settings.patience,
                stop: settings.stop
            )
            try run(connection)
        } catch {
            if let stop = settings.stop, stop.isRaised { return }
            counts.failedReopens += 1
            if case .camera(let fault) = error {
                tell(fault)
            } else {
                tell(.unreachable(path: address.display, reason: error.description))
            }
            _ = pace.noteFailure()
        }
    }

    private func tell(_ fault: CaptureFault) {
        if journal.tellsOutage(fault) { settings.report(.fault(fault)) }
    }

    private func summary(_ layout: FrameLayout) -> String {
        "\(address.display): \(layout.size.description) through ffmpeg"
    }

    /// Waits for a descriptor, the stop signal or the end of a time; -1: for ever.
    private func wait(_ descriptor: Int32, nanoseconds: Int64) {
        _ = clibc_wait_readable(descriptor, settings.stop?.descriptor ?? -1, -1, nanoseconds)
    }
}
