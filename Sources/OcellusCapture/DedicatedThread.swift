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

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - stackByteCount: the size of its stack.
    ///   - body: what it runs; must end once its owner wants it to.
    /// - Throws: `V4L2Failure` if the system has no thread left.
    init(stackByteCount: Int, _ body: @escaping @Sendable () -> Void) throws(V4L2Failure) {
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
        let error = unsafe pthread_create(&thread, &attributes, DedicatedThread.main, context)
        guard error == 0 else {
            unsafe Unmanaged<Body>.fromOpaque(context).release()
            throw V4L2Failure(call: "pthread_create", number: error)
        }
    }

    deinit { join() }

    /// Lets the thread run before all others that have no real-time priority.
    ///
    /// The corresponding C call is `pthread_setschedparam(SCHED_FIFO)`, with the lowest priority.
    ///
    /// - Returns: why the system does not permit it; nil if it does.
    func becomeRealtime() -> String? {
        var priority = sched_param()
        priority.sched_priority = sched_get_priority_min(SCHED_FIFO)
        let refusal = unsafe pthread_setschedparam(thread, SCHED_FIFO, &priority)
        return refusal == 0 ? nil : SystemError.reason(refusal)
    }

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
