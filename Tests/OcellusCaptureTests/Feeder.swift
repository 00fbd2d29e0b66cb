// SPDX-License-Identifier: Apache-2.0
import CLibc
import CScriptedCamera
import Synchronization

/// A thread that makes a scripted camera give pictures, a hundred in a second.
final class Feeder: Sendable {
    private let camera: Shared
    private let delay: UInt32
    private let interval: UInt32
    private let badCount: Int
    private let isStopped = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)

    /// The camera's script has a lock of its own.
    private struct Shared: @unchecked Sendable {
        let camera: ScriptedCamera
    }

    /// A thread that has not started yet.
    ///
    /// - Parameters:
    ///   - camera: what gives pictures.
    ///   - delay: microseconds before the first picture.
    ///   - interval: microseconds between two of them.
    ///   - badCount: how many flagged pictures come first.
    init(
        _ camera: ScriptedCamera,
        delay: UInt32 = 100_000,
        interval: UInt32 = 10_000,
        badCount: Int = 0
    ) {
        self.camera = Shared(camera: camera)
        self.delay = delay
        self.interval = interval
        self.badCount = badCount
    }

    func start() {
        let feeder = self
        BackgroundThread.start { feeder.run() }
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        while !hasEnded.load(ordering: .acquiring) { usleep(1000) }
    }

    private func run() {
        usleep(delay)
        var sequence: UInt32 = 100
        while !isStopped.load(ordering: .relaxed) {
            let isBad = Int(sequence) < 100 + badCount
            camera.camera.push(
                5,
                sequence: sequence,
                flags: isBad ? ScriptedCamera.flagged : ScriptedCamera.monotonic
            )
            sequence += 1
            usleep(interval)
        }
        hasEnded.store(true, ordering: .releasing)
    }
}

/// A thread of its own: the cooperative pool has too few for threads that wait.
enum BackgroundThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Body(body)).toOpaque()
        pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            },
            context
        )
        pthread_detach(thread)
    }
}
