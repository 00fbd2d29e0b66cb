// SPDX-License-Identifier: Apache-2.0
import CLibc

/// The one block of memory that a session runs in: allocated once from a plan, never grown.
///
/// The block starts zeroed. Pages that a run does not touch cost address space, not memory. It lies
/// between two pages that nobody may touch, so that a kernel that runs over an end is stopped there.
@safe
public struct Arena: ~Copyable {
    /// The layout of the block.
    public let plan: MemoryPlan
    @usableFromInline
    let base: UnsafeMutableRawPointer
    private let pageSize: Int

    /// Allocates the block that a plan describes.
    ///
    /// The corresponding C calls are `mmap(MAP_ANONYMOUS)` and `mprotect`.
    ///
    /// - Throws: `MemoryError.outOfMemory` if the system has no such block.
    public init(plan: MemoryPlan) throws(MemoryError) {
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        let (size, overflow) = plan.requiredBytes.addingReportingOverflow(3 * pageSize)
        // Safety: a fresh anonymous mapping is zeroed, page-aligned and ours alone.
        let reserved = unsafe mmap(
            nil,
            overflow ? Int.max : size,
            PROT_NONE,
            MAP_PRIVATE | MAP_ANONYMOUS,
            -1,
            0
        )
        guard let reserved = unsafe reserved, unsafe reserved != clibc_map_failed() else {
            throw .outOfMemory(neededBytes: plan.requiredBytes)
        }
        let base = unsafe reserved + pageSize
        // Safety: the middle of the mapping; the page before it and the one after stay closed.
        guard unsafe mprotect(base, max(plan.requiredBytes, 1), PROT_READ | PROT_WRITE) == 0 else {
            unsafe munmap(reserved, size)
            throw .outOfMemory(neededBytes: plan.requiredBytes)
        }
        self.plan = plan
        self.pageSize = pageSize
        unsafe self.base = base
    }

    deinit {
        // Safety: the mapping of `init`.
        unsafe munmap(base - pageSize, plan.requiredBytes + 3 * pageSize)
    }

    /// The matrix that was planned; valid as long as the arena.
    @inlinable
    public subscript(_ planned: PlannedTensor) -> Tensor {
        // Safety: the plan placed rows * columns floats at this aligned offset inside the block.
        let start = unsafe (base + plan.offsets[planned.index])
            .assumingMemoryBound(to: Float.self)
        return unsafe Tensor(rows: planned.rows, columns: planned.columns, base: start)
    }

    /// The bytes that were planned; valid as long as the arena.
    @inlinable
    public subscript(_ planned: PlannedBytes) -> Bytes {
        // Safety: the plan placed byteCount bytes at this aligned offset inside the block.
        unsafe Bytes(base: base + plan.offsets[planned.index], count: planned.byteCount)
    }
}
