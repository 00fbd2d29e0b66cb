// SPDX-License-Identifier: Apache-2.0
import Glibc

/// One share of some work, for the thread that does it.
private final class Share {
    private let index: Int
    private let body: (Int) -> Void

    init(_ index: Int, _ body: @escaping (Int) -> Void) {
        self.index = index
        self.body = body
    }

    func run() { body(index) }
}

/// How much memory is left to the work when no more threads can be started.
private let reserveByteCount = 8 << 20

/// Runs a body for each share of some work, the first on the calling thread, each other one on its own.
///
/// Shares for which the system starts no thread, for want of memory perhaps, run on the calling thread.
///
/// - Parameters:
///   - count: How many shares.
///   - body: What does a share, given its number; at the same time as the others.
func sharing(among count: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
        let shares = (0..<count).map { Share($0, body) }
        var own: [Share] = []
        var threads: [pthread_t] = []
        // The threads' stacks do not take the last of the memory, which the work itself needs.
        // Safety: nothing is read or written there.
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        let reserve = unsafe mmap(nil, reserveByteCount, PROT_NONE, flags, -1, 0)
        let hasReserve = unsafe reserve != MAP_FAILED
        for (index, share) in shares.enumerated() {
            if index > 0, hasReserve, let thread = start(share) {
                threads.append(thread)
            } else {
                own.append(share)
            }
        }
        if hasReserve { unsafe munmap(reserve, reserveByteCount) }
        for share in own { share.run() }
        for thread in threads { pthread_join(thread, nil) }
        withExtendedLifetime(shares) {}
    }
}

/// Starts a thread for a share, which lives longer; nil if the system has none.
private func start(_ share: Share) -> pthread_t? {
    // Safety: initialised by the C library before it is used.
    let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
    defer { unsafe attributes.deallocate() }
    guard unsafe pthread_attr_init(attributes) == 0 else { return nil }
    defer { unsafe pthread_attr_destroy(attributes) }
    unsafe pthread_attr_setstacksize(attributes, 512 << 10)
    var thread: pthread_t = 0
    let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
        // Safety: the share that was given, which the starting thread keeps until this one ends.
        if let pointer { unsafe Unmanaged<Share>.fromOpaque(pointer).takeUnretainedValue().run() }
        return nil
    }
    let pointer = unsafe Unmanaged.passUnretained(share).toOpaque()
    return unsafe pthread_create(&thread, attributes, run, pointer) == 0 ? thread : nil
}
