// SPDX-License-Identifier: Apache-2.0
public import OcellusMemory

/// One picture of a source: a view of pixels in memory that somebody else owns.
///
/// It is valid as long as its memory is neither reused nor freed; a `FrameSource` fills the slot that
/// its caller gave, so the caller decides.
@safe
public struct Frame {
    /// The size of the picture as a viewer sees it.
    public let size: ImageSize
    /// The layout of the samples.
    public let format: PixelFormat
    /// The range of the samples, if they are YUV.
    public let range: ColorRange
    /// When the picture was taken, from the start of its source.
    public var timestamp: Duration
    /// The position of the picture in its source, from 0.
    public var number: Int

    /// The interleaved samples or the luma.
    let luma: Plane
    /// The blue-difference samples; equal to `luma` if there are none.
    let chromaU: Plane
    /// The red-difference samples; equal to `luma` if there are none.
    let chromaV: Plane

    /// A view of a picture that lies in `bytes` without padding, plane after plane.
    ///
    /// - Precondition: the size is positive and `bytes` holds `format.byteCount(of: size)` bytes.
    public init(
        _ bytes: Bytes,
        size: ImageSize,
        format: PixelFormat,
        range: ColorRange = .limited,
        timestamp: Duration = .zero,
        number: Int = 0
    ) {
        precondition(size.width > 0 && size.height > 0)
        precondition(format.byteCount(of: size) <= bytes.count)
        self.size = size
        self.format = format
        self.range = range
        self.timestamp = timestamp
        self.number = number
        // Safety: all planes end at format.byteCount(of: size), checked above.
        let base = unsafe UnsafePointer(bytes.base.assumingMemoryBound(to: UInt8.self))
        let pixelByteCount = format == .rgb24 ? 3 : 1
        luma = unsafe Plane(
            base: base,
            columnStride: pixelByteCount,
            rowStride: pixelByteCount * size.width
        )
        switch format {
        case .rgb24, .gray8:
            chromaU = luma
            chromaV = luma
        case .yuv420, .yuv422, .yuv444:
            let chromaSize = format.chromaSize(of: size)
            let firstU = unsafe base + size.pixelCount
            chromaU = unsafe Plane(base: firstU, columnStride: 1, rowStride: chromaSize.width)
            chromaV = unsafe Plane(
                base: firstU + chromaSize.pixelCount,
                columnStride: 1,
                rowStride: chromaSize.width
            )
        }
    }

    /// The upright view of a picture that a camera stored in another orientation.
    ///
    /// - Precondition: the frame has one plane (`rgb24` or `gray8`).
    func upright(from orientation: Orientation) -> Frame {
        precondition(format == .rgb24 || format == .gray8)
        // Safety: a mirrored plane starts at the last column or row of the stored one.
        var base = unsafe luma.base
        var columnStride = luma.columnStride
        var rowStride = luma.rowStride
        if orientation.isMirroredHorizontally {
            unsafe base += (size.width - 1) * columnStride
            columnStride = -columnStride
        }
        if orientation.isMirroredVertically {
            unsafe base += (size.height - 1) * rowStride
            rowStride = -rowStride
        }
        if orientation.isTransposed { swap(&columnStride, &rowStride) }
        return unsafe Frame(
            self,
            size: orientation.isTransposed ? size.transposed : size,
            plane: Plane(base: base, columnStride: columnStride, rowStride: rowStride)
        )
    }

    private init(_ stored: Frame, size: ImageSize, plane: Plane) {
        self.size = size
        format = stored.format
        range = stored.range
        timestamp = stored.timestamp
        number = stored.number
        luma = plane
        chromaU = plane
        chromaV = plane
    }
}
