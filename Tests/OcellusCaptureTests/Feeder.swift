// SPDX-License-Identifier: Apache-2.0
import CLibc
import CScriptedCamera
import Synchronization

/// A thread that makes a scripted camera give pictures, a hundred in a second.
final class Feeder: Sendable {
    /// What the camera gives.
    enum Gift {
        case nothing
        /// A picture that is marked as damaged.
        case bad
        case good
    }

    private let camera: ScriptedCamera
    private let gift: @Sendable () -> Gift
    private let isStopped = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)

    /// Microseconds between two pictures.
    private static let interval: UInt32 = 10_000

    /// A thread that has not started yet.
    ///
    /// - Parameters:
    ///   - camera: what gives pictures.
    ///   - gift: what it gives next; tests wait for what happened and not for a time, which a slow
    ///     machine may need longer for.
    init(_ camera: ScriptedCamera, _ gift: @escaping @Sendable () -> Gift = { .good }) {
        self.camera = camera
        self.gift = gift
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
        var sequence: UInt32 = 100
        while !isStopped.load(ordering: .relaxed) {
            switch gift() {
            case .nothing: break
            case .bad: camera.push(5, sequence: sequence, flags: ScriptedCamera.flagged)
            case .good: camera.push(5, sequence: sequence)
            }
            sequence += 1
            usleep(Feeder.interval)
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
