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
    /// What luma is made of, if the samples are YUV.
    public let matrix: ColorMatrix
    /// The range of luma and chroma.
    public let range: ColorRange
    /// When the picture was taken, from the start of its source.
    public var timestamp: Duration
    /// The position of the picture in its source, from 0.
    public var number: Int
    /// When the driver took the picture, in nanoseconds of `CLOCK_MONOTONIC`; nil for files.
    public var captureTime: Int64?

    /// The interleaved samples or the luma.
    let luma: Plane
    /// The blue-difference samples; equal to `luma` if there are none.
    let chromaU: Plane
    /// The red-difference samples; equal to `luma` if there are none.
    let chromaV: Plane

    /// A view of a picture that lies in `bytes` without padding, plane after plane.
    ///
    /// - Parameters:
    ///   - bytes: the samples.
    ///   - size: the size of the picture.
    ///   - format: the kind of samples.
    ///   - range: their range; nil: limited for YUV, full for gray.
    ///   - timestamp: when the picture was taken, from the start of its source.
    ///   - number: the position of the picture in its source.
    /// - Precondition: the size is positive and `bytes` holds `format.byteCount(of: size)` bytes.
    public init(
        _ bytes: Bytes,
        size: ImageSize,
        format: PixelFormat,
        range: ColorRange? = nil,
        timestamp: Duration = .zero,
        number: Int = 0
    ) {
        self.init(
            bytes,
            layout: FrameLayout(packed: size, format: format, range: range),
            timestamp: timestamp,
            number: number
        )
    }

    /// A view of a picture that lies in `bytes` as a layout says.
    ///
    /// - Parameters:
    ///   - bytes: the samples.
    ///   - layout: where they are.
    ///   - timestamp: when the picture was taken, from the start of its source.
    ///   - number: the position of the picture in its source.
    ///   - captureTime: when the driver took it, in nanoseconds of `CLOCK_MONOTONIC`.
    /// - Precondition: `bytes` holds `layout.byteCount` bytes.
    public init(
        _ bytes: Bytes,
        layout: FrameLayout,
        timestamp: Duration,
        number: Int,
        captureTime: Int64? = nil
    ) {
        precondition(layout.byteCount <= bytes.count)
        size = layout.size
        format = layout.format
        matrix = layout.matrix
        range = layout.range
        self.timestamp = timestamp
        self.number = number
        self.captureTime = captureTime
        // Safety: all planes end at layout.byteCount, checked above.
        let base = unsafe UnsafePointer(bytes.base.assumingMemoryBound(to: UInt8.self))
        func plane(_ offset: Int, _ columnStride: Int, _ rowStride: Int) -> Plane {
            unsafe Plane(base: base + offset, columnStride: columnStride, rowStride: rowStride)
        }
        let second = layout.secondPlaneOffset
        let third = layout.thirdPlaneOffset
        switch layout.format {
        case .rgb24, .bgr24, .gray8:
            luma = plane(0, layout.format == .gray8 ? 1 : 3, layout.rowStride)
            chromaU = luma
            chromaV = luma
        case .yuyv:
            luma = plane(0, 2, layout.rowStride)
            chromaU = plane(1, 4, layout.rowStride)
            chromaV = plane(3, 4, layout.rowStride)
        case .uyvy:
            luma = plane(1, 2, layout.rowStride)
            chromaU = plane(0, 4, layout.rowStride)
            chromaV = plane(2, 4, layout.rowStride)
        case .nv12:
            luma = plane(0, 1, layout.rowStride)
            chromaU = plane(second, 2, layout.chromaStride)
            chromaV = plane(second + 1, 2, layout.chromaStride)
        case .yuv420, .yuv422, .yuv444:
            luma = plane(0, 1, layout.rowStride)
            chromaU = plane(second, 1, layout.chromaStride)
            chromaV = plane(third, 1, layout.chromaStride)
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
        matrix = stored.matrix
        range = stored.range
        timestamp = stored.timestamp
        number = stored.number
        captureTime = stored.captureTime
        luma = plane
        chromaU = plane
        chromaV = plane
    }
}
