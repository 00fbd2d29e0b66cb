// SPDX-License-Identifier: Apache-2.0

/// The samples of one component, or of three interleaved ones, in memory that somebody else owns.
///
/// The strides are in bytes and may be negative: an upright view of a camera picture that was stored
/// lying on its side differs from the stored one in nothing else.
@safe
struct Plane {
    /// The sample at (0, 0).
    let base: UnsafePointer<UInt8>
    /// The bytes from a pixel to its right neighbour.
    let columnStride: Int
    /// The bytes from a pixel to the one below.
    let rowStride: Int

    /// A view of samples that the caller keeps alive and has checked to be in bounds.
    @unsafe
    init(base: UnsafePointer<UInt8>, columnStride: Int, rowStride: Int) {
        unsafe self.base = base
        self.columnStride = columnStride
        self.rowStride = rowStride
    }
}
