// SPDX-License-Identifier: Apache-2.0
import CJPEG
public import OcellusMemory

/// Encodes frames as JPEGs, again and again, in memory that it reserves at the start.
@safe
public final class JPEGEncoder {
    /// The largest frame.
    public let maximum: ImageSize

    private let encoder: OpaquePointer
    private let memory: UnsafeMutableRawPointer
    private let capacity: Int
    /// One row of pixels, behind the picture in `memory`.
    private let row: UnsafeMutablePointer<UInt8>

    /// The bytes of headers and tables, with room to spare.
    private static let headerByteCount = 4096

    /// Reserves memory for a row of pixels and for the largest JPEG.
    ///
    /// - Throws: `ImageError.outOfMemory`.
    public init(maximum: ImageSize) throws(ImageError) {
        precondition(maximum.width > 0 && maximum.height > 0 && maximum.width < 1 << 16)
        // Noise at the best quality does not compress: three bytes for each pixel of whole blocks.
        let blocks = ImageSize(
            width: (maximum.width + 15) / 16 * 16,
            height: (maximum.height + 15) / 16 * 16
        )
        let capacity = blocks.frameByteCount + JPEGEncoder.headerByteCount
        guard let encoder = unsafe cjpeg_encoder_new(UInt32(maximum.width)) else {
            throw .outOfMemory(purpose: "a JPEG encoder")
        }
        self.maximum = maximum
        self.capacity = capacity
        unsafe self.encoder = encoder
        unsafe memory = .allocate(byteCount: capacity + 3 * maximum.width, alignment: 64)
        unsafe row = (memory + capacity).assumingMemoryBound(to: UInt8.self)
    }

    deinit {
        unsafe cjpeg_encoder_free(encoder)
        unsafe memory.deallocate()
    }

    /// Encodes a frame; allocates nothing.
    ///
    /// - Parameters:
    ///   - frame: the picture.
    ///   - quality: 1 to 100, as other programs count.
    /// - Returns: the JPEG, valid until the next call.
    /// - Throws: `ImageError.pictureTooLarge`, or `.damaged` with the encoder's reason.
    public func encode(_ frame: Frame, quality: Int = 85) throws(ImageError) -> Bytes {
        precondition((1...100).contains(quality))
        guard frame.size.fits(in: maximum) else {
            throw .pictureTooLarge(path: "the frame", size: frame.size, limit: maximum)
        }
        // Safety: the JPEG and the row have their own parts of the memory, and their sizes are given.
        let out = unsafe memory.assumingMemoryBound(to: UInt8.self)
        try unsafe check(
            cjpeg_encode_begin(
                encoder,
                UInt32(frame.size.width),
                UInt32(frame.size.height),
                Int32(quality),
                out,
                capacity
            )
        )
        for y in 0..<frame.size.height {
            unsafe frame.copyRow(y, from: 0, count: frame.size.width, into: row)
            try unsafe check(cjpeg_encode_row(encoder, row))
        }
        var byteCount = 0
        try unsafe check(cjpeg_encode_end(encoder, &byteCount))
        return unsafe Bytes(base: memory, count: byteCount)
    }

    private func check(_ failure: UnsafePointer<CChar>?) throws(ImageError) {
        if let failure = unsafe failure {
            throw .damaged(path: "the frame", reason: unsafe String(cString: failure))
        }
    }
}
