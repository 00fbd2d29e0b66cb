// SPDX-License-Identifier: Apache-2.0
import CJPEG
import CLibc
public import OcellusMemory

/// Decodes JPEGs in memory, again and again: the frames of an MJPEG camera; or in a file.
///
/// Nothing is allocated for a picture, unless it is wider than all before it, or progressive. No
/// picture can see the tables of another one: a frame without Huffman tables has the standard's, as
/// Motion JPEG wants it.
///
/// The settings are those of most programs (accurate integer DCT, smooth chroma), so the pixels equal
/// theirs.
@safe
public final class JPEGDecoder {
    private let decoder: OpaquePointer

    /// A decoder with memory for pictures up to a width in pixels.
    ///
    /// - Throws: `ImageError.outOfMemory`.
    public init(width: Int = 1920) throws(ImageError) {
        precondition(width > 0)
        guard let decoder = unsafe cjpeg_decoder_new(UInt32(min(width, 1 << 16))) else {
            throw .outOfMemory(purpose: "a JPEG decoder")
        }
        unsafe self.decoder = decoder
    }

    deinit { unsafe cjpeg_decoder_free(decoder) }

    /// Decodes a picture into `slot`.
    ///
    /// - Parameters:
    ///   - jpeg: the picture; garbage behind its end marker is ignored.
    ///   - slot: memory for the pixels.
    ///   - minimum: the picture may be decoded at 1/2, 1/4 or 1/8, as long as it is not smaller than
    ///     this in either direction; nil: as large as the limit allows.
    ///   - limit: the largest frame; a larger picture is decoded at a fraction of its size.
    ///   - path: where the picture is from, for errors.
    /// - Returns: a view of the slot in `rgb24`, valid until the slot is used again.
    /// - Throws: `ImageError.damaged` with the decoder's reason for whatever is wrong with a picture,
    ///   which includes an end that is missing: what a camera lost on the wire is not made up;
    ///   `.unsupported`, `.pictureTooLarge` and `.slotTooSmall` as `PictureDecoder.decode`.
    public func decode(
        _ jpeg: Bytes,
        into slot: Bytes,
        minimum: ImageSize? = nil,
        limit: ImageSize = .standardLimit,
        path: String = "the camera's JPEG"
    ) throws(ImageError) -> Frame {
        // Safety: the bytes are there, and nothing changes them meanwhile.
        let bytes = unsafe Span<UInt8>(
            _unsafeStart: jpeg.base.assumingMemoryBound(to: UInt8.self),
            count: jpeg.count
        )
        return try decode(bytes, into: slot, minimum: minimum, limit: limit, path: path)
    }

    /// As above, for bytes that are not in an arena.
    func decode(
        _ bytes: Span<UInt8>,
        into slot: Bytes,
        minimum: ImageSize? = nil,
        limit: ImageSize,
        path: String
    ) throws(ImageError) -> Frame {
        guard bytes.count >= 2, bytes[0] == 0xFF, bytes[1] == 0xD8 else {
            throw .damaged(path: path, reason: "it is not a JPEG")
        }
        guard var header = try JPEGPicture.header(of: bytes, path: path, limit: limit) else {
            throw .damaged(path: path, reason: "it ends within its header")
        }
        if let minimum { header.shrink(toAtLeast: minimum) }
        guard header.decodedSize.frameByteCount <= slot.count else {
            throw .slotTooSmall(
                path: path,
                neededBytes: header.decodedSize.frameByteCount,
                availableBytes: slot.count
            )
        }
        return try decode(bytes, header: header, path: path, into: slot)
    }

    /// Decodes a picture whose header was read, at the scale of the header; `rest` is the descriptor of
    /// the file in which the bytes go on, -1 for none.
    ///
    /// - Precondition: the slot holds a frame of the decoded size.
    func decode(
        _ bytes: Span<UInt8>,
        rest: Int32 = -1,
        header: PictureHeader,
        path: String,
        into slot: Bytes
    ) throws(ImageError) -> Frame {
        let size = header.scaledSize
        precondition(size.frameByteCount <= slot.count)
        let failure = unsafe bytes.withUnsafeBufferPointer { buffer in
            // Safety: the slot holds the frame; the decoder writes height rows of 3 * width bytes, or
            // fails if the picture has another size.
            unsafe cjpeg_decode(
                decoder,
                buffer.baseAddress,
                buffer.count,
                rest,
                UInt32(header.scaleDenominator),
                UInt32(size.width),
                UInt32(size.height),
                slot.base.assumingMemoryBound(to: UInt8.self)
            )
        }
        if let failure = unsafe failure {
            if clibc_errno() == ENOMEM { throw .outOfMemory(purpose: "the pixels of \(path)") }
            throw .damaged(path: path, reason: unsafe String(cString: failure))
        }
        return Frame(slot, size: size, format: .rgb24).upright(from: header.orientation)
    }
}
