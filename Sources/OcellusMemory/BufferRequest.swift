// SPDX-License-Identifier: Apache-2.0

/// One buffer that a run needs, before it has an address.
public struct BufferRequest: Sendable {
    /// What it holds, as `ocellus plan` prints it.
    public let name: String
    /// Its size in bytes, before rounding up to the alignment.
    public let byteCount: Int
    /// Why it exists.
    public let memoryClass: MemoryClass
    /// The first step of a run that writes it.
    public let firstStep: Int
    /// The last step of a run that reads it.
    public internal(set) var lastStep: Int

    /// Whether both must keep their bytes at some common step.
    public func overlapsInTime(_ other: BufferRequest) -> Bool {
        firstStep <= other.lastStep && other.firstStep <= lastStep
    }
}

/// A request for a matrix of `Float`: the key to a `Tensor` of the arena.
public struct PlannedTensor: Sendable {
    @usableFromInline
    let index: Int
    /// The count of rows (tokens, pixels or channels).
    public let rows: Int
    /// The count of columns; one row is contiguous.
    public let columns: Int
}

/// A request for raw bytes: the key to a `Bytes` of the arena.
public struct PlannedBytes: Sendable {
    @usableFromInline
    let index: Int
    /// The size in bytes.
    public let byteCount: Int
}
