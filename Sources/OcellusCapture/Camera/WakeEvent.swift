// SPDX-License-Identifier: Apache-2.0
import CLibc

/// A descriptor by which one thread wakes another one that waits.
///
/// The corresponding C call is `eventfd`.
final class WakeEvent: Sendable {
    /// Can be read, as `poll` has it, from `raise` to `clear`.
    let descriptor: Int32

    /// - Throws: `V4L2Failure` if the process has no descriptor left.
    init() throws(V4L2Failure) {
        descriptor = clibc_event_open()
        guard descriptor >= 0 else { throw V4L2Failure(call: "eventfd", number: clibc_errno()) }
    }

    deinit { close(descriptor) }

    /// Wakes the one that waits.
    func raise() { clibc_event_raise(descriptor) }

    /// Waits for the next time.
    func clear() {
        var count: UInt64 = 0
        // Safety: eight bytes are what an eventfd gives; without any the read fails at once.
        unsafe _ = read(descriptor, &count, 8)
    }
}
