// SPDX-License-Identifier: Apache-2.0

/// Raw bytes in an arena: a view, valid as long as the arena that it came from.
@safe
public struct Bytes {
    /// The first byte, for kernels; aligned to `MemoryPlanner.alignment` when the arena gave it.
    public let base: UnsafeMutableRawPointer
    /// The size in bytes.
    public let count: Int

    /// A view of memory that the caller keeps alive.
    @unsafe
    @inlinable
    public init(base: UnsafeMutableRawPointer, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    /// The byte at an offset.
    @inlinable
    public subscript(_ offset: Int) -> UInt8 {
        get {
            precondition(offset >= 0 && offset < count)
            return unsafe base.load(fromByteOffset: offset, as: UInt8.self)  // Safety: checked.
        }
        nonmutating set {
            precondition(offset >= 0 && offset < count)
            // Safety: checked.
            unsafe base.storeBytes(of: newValue, toByteOffset: offset, as: UInt8.self)
        }
    }

    /// Copies all bytes of a view of the same size.
    @_noAllocation @_noLocks
    public func copy(from source: Bytes) {
        precondition(source.count == count)
        unsafe base.copyMemory(from: source.base, byteCount: count)  // Safety: equal counts.
    }
}
