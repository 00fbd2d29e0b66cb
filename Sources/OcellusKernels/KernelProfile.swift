// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// The calls of kernels during a run, one after the other, with their times.
public struct KernelProfile: Sendable {
    /// One call.
    public struct Call: Sendable {
        /// The task's name in `CKernels`, such as "matmul_few".
        public let operation: String
        /// The part of the network that called (`beginProfilePart`).
        public let part: Int
        /// From the call to its end on all threads.
        public let nanoseconds: Int64
    }

    /// The calls, in order.
    public let calls: [Call]

    /// Records the calls that this thread makes in `run`, the first `limit` of them.
    public init(limit: Int, during run: () -> Void) {
        let none = unsafe ck_profile_entry(operation: nil, part: 0, nanoseconds: 0)
        var entries = unsafe [ck_profile_entry](repeating: none, count: limit)
        var calls: [Call] = []
        // Safety: the entries outlive the recording, which ends inside.
        unsafe entries.withUnsafeMutableBufferPointer { entries in
            unsafe ck_profile_begin(entries.baseAddress, limit)
            run()
            let count = ck_profile_end()
            for index in 0..<count {
                let entry = unsafe entries[index]
                guard let name = unsafe entry.operation else { continue }
                calls.append(
                    Call(
                        operation: unsafe String(cString: name),
                        part: Int(unsafe entry.part),
                        nanoseconds: Int64(unsafe entry.nanoseconds)
                    )
                )
            }
        }
        self.calls = calls
    }
}

/// Numbers the kernels that this thread calls next, for a `KernelProfile`.
///
/// 1 is the first layer of a network, 0 what is outside of layers. Costs nothing unless somebody
/// records.
@_noAllocation @_noLocks
public func beginProfilePart(_ part: Int) {
    ck_profile_part(Int32(truncatingIfNeeded: part))
}

/// Reads all weights once and does nothing with them: what a product with them can at best be.
public func readWeights(_ weights: WeightMatrix, on pool: borrowing ThreadPool) {
    unsafe ck_read(pool.handle, weights.base, weights.byteCount)  // Safety: a view's own bytes.
}
