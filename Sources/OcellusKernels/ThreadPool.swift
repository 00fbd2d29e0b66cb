// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// A fixed team of threads that the kernels share their work among.
///
/// The thread that calls a kernel is the first member of the team. A pool serves one caller at a
/// time. Results do not depend on the count of threads.
@safe
public struct ThreadPool: ~Copyable {
    /// The members of the team, with the calling thread.
    ///
    /// Less than asked for if the system grants fewer threads.
    public let threadCount: Int
    /// The C pool, or nil for the calling thread alone.
    let handle: OpaquePointer?

    /// Starts the threads; they sleep until a kernel has work for them.
    ///
    /// - Parameters:
    ///   - threadCount: the members of the team, with the calling thread.
    ///   - cores: one for each member, by the system's numbers, or none for the system to choose.
    ///     Every thread that is started stays on its own; the calling thread stays among them all from
    ///     now on, as do threads and processes that it starts later.
    public init(threadCount: Int, cores: [Int] = []) {
        precondition(cores.isEmpty || cores.count == threadCount)
        let count = Int32(clamping: threadCount)
        let numbers = cores.map { Int32(clamping: $0) }
        // Safety: the pool is destroyed in deinit alone, and reads the cores only now.
        unsafe handle = numbers.withUnsafeBufferPointer { numbers in
            unsafe ck_pool_create(count, numbers.isEmpty ? nil : numbers.baseAddress)
        }
        self.threadCount = unsafe Int(ck_pool_thread_count(handle))
    }

    deinit {
        unsafe ck_pool_destroy(handle)
    }
}

/// The name of the instruction set that the kernels run on: "avx512-vnni", "avx2", "neon-dotprod",
/// "neon" or "baseline"; "avx512-bf16" and "neon-fp16" only by name, since they round activations.
///
/// The environment variable OCELLUS_KERNELS names another one that the processor runs.
public func instructionSetName() -> String {
    unsafe String(cString: ck_instruction_set_name())  // Safety: a constant string.
}

/// The count of instruction sets that this processor runs, for tests.
var usableInstructionSetCount: Int { Int(ck_instruction_set_count()) }

/// Runs the kernels of this thread on another instruction set, for tests; -1 is its own choice.
func selectInstructionSet(_ index: Int) {
    ck_select_instruction_set(Int32(clamping: index))
}
