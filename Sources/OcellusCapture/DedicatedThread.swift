// SPDX-License-Identifier: Apache-2.0
import CLibc

/// A thread that runs one body once, and is joined by its owner.
///
/// It receives no signals. The corresponding C calls are `pthread_create` and `pthread_join`.
@safe
final class DedicatedThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private var thread = pthread_t()
    private var isJoined = false

    /// Starts the thread; nil, with `errno`, if the system has no thread left.
    ///
    /// - Parameters:
    ///   - stackByteCount: the size of its stack.
    ///   - body: what it runs; must end once its owner wants it to.
    init?(stackByteCount: Int, _ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe _ = pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, stackByteCount)
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { unsafe _ = pthread_sigmask(SIG_SETMASK, &before, nil) }
        // Safety: the thread takes over this reference.
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        guard unsafe pthread_create(&thread, &attributes, DedicatedThread.main, context) == 0
        else {
            unsafe Unmanaged<Body>.fromOpaque(context).release()
            return nil
        }
    }

    deinit { join() }

    /// Waits until the body has ended.
    func join() {
        guard !isJoined else { return }
        pthread_join(thread, nil)
        isJoined = true
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
        {
            context in
            guard let context = unsafe context else { return nil }
            // Safety: the reference that `init` retained.
            unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
            return nil
        }
}
