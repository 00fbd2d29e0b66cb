// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Synchronization

/// The newest picture of a camera, on its way from the capture thread to the one that reads.
///
/// Of three slots one belongs to the writer, one to the reader, and one lies between them. To
/// publish, the writer exchanges its slot with the one between; to take, the reader does. Neither
/// waits for the other, nothing is queued, and the newest picture wins.
@safe
final class LatestFrame: @unchecked Sendable {
    // Sendable, proof: `writing`, and the slot and note that it numbers, are used by the writer only;
    // `reading` likewise by the reader. Numbers change hands by an acquiring and releasing exchange
    // of `between`, so what one side wrote into a slot is visible to the other before it has it.

    /// The bytes of each slot.
    let slotByteCount: Int
    /// The number of the slot between, and whether its picture is new.
    private let between = Atomic<UInt32>(1)
    private var writing = 0
    private var reading = 2
    private let memory: UnsafeMutableRawPointer
    private let slotStride: Int
    private let notes: UnsafeMutablePointer<CapturedPicture>

    private static let isNew: UInt32 = 4

    /// Allocates the three slots.
    ///
    /// - Precondition: the count is positive.
    init(slotByteCount: Int) {
        precondition(slotByteCount > 0)
        let alignment = MemoryPlanner.alignment
        self.slotByteCount = slotByteCount
        slotStride = (slotByteCount + alignment - 1) / alignment * alignment
        unsafe memory = .allocate(byteCount: 3 * slotStride, alignment: alignment)
        unsafe notes = .allocate(capacity: 3)
        unsafe notes.initialize(repeating: CapturedPicture(), count: 3)
    }

    deinit {
        unsafe memory.deallocate()
        unsafe notes.deallocate()
    }

    /// Where the writer puts the next picture.
    var slot: Bytes {
        @_noAllocation @_noLocks get { bytes(of: writing) }
    }

    /// Hands the picture in the writer's slot over.
    ///
    /// - Returns: whether the reader never took the picture before it.
    @_noAllocation @_noLocks
    func publish(_ picture: CapturedPicture) -> Bool {
        unsafe notes[writing] = picture  // Safety: 0, 1 or 2, as are all numbers of slots.
        let old = between.exchange(UInt32(writing) | Self.isNew, ordering: .acquiringAndReleasing)
        writing = Int(old & 3)
        return old & Self.isNew != 0
    }

    /// Takes the newest picture, if it was not taken before.
    ///
    /// - Returns: what is known about it, and its bytes, valid until the next call.
    func take() -> (picture: CapturedPicture, bytes: Bytes)? {
        guard between.load(ordering: .relaxed) & Self.isNew != 0 else { return nil }
        let old = between.exchange(UInt32(reading), ordering: .acquiringAndReleasing)
        reading = Int(old & 3)
        let picture = unsafe notes[reading]  // Safety: as above.
        // Safety: the picture's bytes fit into a slot, or it would not have been published.
        let bytes = unsafe Bytes(base: bytes(of: reading).base, count: picture.byteCount)
        return (picture, bytes)
    }

    @_noAllocation @_noLocks
    private func bytes(of number: Int) -> Bytes {
        // Safety: the number is 0, 1 or 2.
        unsafe Bytes(base: memory + number * slotStride, count: slotByteCount)
    }
}
