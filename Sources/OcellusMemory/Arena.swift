// SPDX-License-Identifier: Apache-2.0
import CLibc

/// The one block of memory that a session runs in: allocated once from a plan, never grown.
///
/// The block starts zeroed. Pages that a run does not touch cost address space, not memory.
@safe
public struct Arena: ~Copyable {
    /// The layout of the block.
    public let plan: MemoryPlan
    @usableFromInline
    let base: UnsafeMutableRawPointer

    /// Allocates the block that a plan describes.
    ///
    /// The corresponding C call is `mmap(MAP_ANONYMOUS)`.
    ///
    /// - Throws: `MemoryError.outOfMemory` if the system has no such block.
    public init(plan: MemoryPlan) throws(MemoryError) {
        // Safety: a fresh anonymous mapping is zeroed, page-aligned and ours alone.
        let block = unsafe mmap(
            nil, max(plan.requiredBytes, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
            -1, 0)
        guard let block = unsafe block, unsafe block != clibc_map_failed() else {
            throw .outOfMemory(neededBytes: plan.requiredBytes)
        }
        self.plan = plan
        unsafe base = block
    }

    deinit {
        unsafe munmap(base, max(plan.requiredBytes, 1))
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
