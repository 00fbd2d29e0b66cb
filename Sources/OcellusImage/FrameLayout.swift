// SPDX-License-Identifier: Apache-2.0

/// Where the samples of a picture lie in a block of bytes, and what they mean.
///
/// What a driver says about its buffers is checked here, once; every block of at least `byteCount`
/// bytes then holds a whole frame.
public struct FrameLayout: Equatable, Sendable {
    /// The size of the picture.
    public let size: ImageSize
    /// The kind of samples.
    public let format: PixelFormat
    /// What luma is made of, if the samples are YUV.
    public let matrix: ColorMatrix
    /// The range of luma and chroma; red, green and blue always have the full one.
    public let range: ColorRange
    /// The least bytes that a frame has: to the last sample, without the padding behind it.
    public let byteCount: Int

    /// The bytes from a row of the first plane to the next.
    let rowStride: Int
    /// The bytes from a row of chroma to the next; that of the first plane if they share one.
    let chromaStride: Int
    /// Where the second plane begins; 0 if there is none.
    let secondPlaneOffset: Int
    /// Where the third plane begins; 0 if there is none.
    let thirdPlaneOffset: Int

    /// The largest width or height, and the largest stride and offset, in bytes.
    private static let limits = (side: 1 << 16, stride: 1 << 20, offset: 1 << 32)

    /// Checks a layout.
    ///
    /// - Parameters:
    ///   - size: the size of the picture.
    ///   - format: the kind of samples.
    ///   - rowStride: the bytes from a row of the first plane to the next (`bytesperline`); nil or 0:
    ///     no padding.
    ///   - chromaStride: the same of the other planes; nil: V4L2's rule for planes in one buffer, which
    ///     gives half-width planes half of `rowStride`.
    ///   - planeOffsets: where the planes after the first begin; nil: each behind the one before.
    ///   - matrix: what luma is made of.
    ///   - range: the range of luma and chroma; nil: limited for YUV, full for gray.
    /// - Throws: `ImageError.badLayout` for a size that is empty or huge, a stride shorter than a row,
    ///   offsets that are not one for each further plane, and planes that overlap or lie too far
    ///   behind.
    /// - Source: the Linux kernel's "Single- and multi-planar APIs" and "Planar YUV formats".
    public init(
        size: ImageSize,
        format: PixelFormat,
        rowStride: Int? = nil,
        chromaStride: Int? = nil,
        planeOffsets: [Int]? = nil,
        matrix: ColorMatrix = .bt601,
        range: ColorRange? = nil
    ) throws(ImageError) {
        let limits = FrameLayout.limits
        guard (1...limits.side).contains(size.width), (1...limits.side).contains(size.height) else {
            throw .badLayout("its size is \(size.description) pixels")
        }
        let rowByteCount = format.rowByteCount(ofWidth: size.width)
        let chromaRowByteCount = format.chromaRowByteCount(ofWidth: size.width)
        let stride = rowStride.flatMap { $0 == 0 ? nil : $0 } ?? rowByteCount
        guard (rowByteCount...limits.stride).contains(stride) else {
            throw .badLayout("rows of \(rowByteCount) bytes are \(stride) bytes apart")
        }
        let halvedStride =
            format.planeCount == 3 ? (stride + format.chromaShiftX) >> format.chromaShiftX : stride
        let chromaStride = chromaStride ?? max(halvedStride, chromaRowByteCount)
        guard (chromaRowByteCount...limits.stride).contains(chromaStride) else {
            throw .badLayout(
                "rows of \(chromaRowByteCount) bytes of chroma are \(chromaStride) bytes apart"
            )
        }
        let chromaPlaneByteCount = chromaStride * format.chromaSize(of: size).height
        let offsets: [Int]
        if let planeOffsets {
            offsets = planeOffsets
        } else {
            offsets = (0..<(format.planeCount - 1)).map {
                stride * size.height + $0 * chromaPlaneByteCount
            }
        }
        guard offsets.count == format.planeCount - 1 else {
            throw .badLayout("\(offsets.count + 1) planes, \(format.planeCount) expected")
        }
        // A plane ends with its last sample: the padding behind it may not exist.
        var byteCount = stride * (size.height - 1) + rowByteCount
        for offset in offsets {
            guard (byteCount...limits.offset).contains(offset) else {
                throw .badLayout("a plane at byte \(offset), the one before ends at \(byteCount)")
            }
            byteCount = offset + chromaPlaneByteCount - chromaStride + chromaRowByteCount
        }
        self.size = size
        self.format = format
        self.matrix = matrix
        self.range = range ?? ColorRange.usual(of: format)
        self.byteCount = byteCount
        self.rowStride = stride
        self.chromaStride = format.planeCount == 1 ? stride : chromaStride
        secondPlaneOffset = offsets.count > 0 ? offsets[0] : 0
        thirdPlaneOffset = offsets.count > 1 ? offsets[1] : 0
    }

    /// A layout without padding between rows and planes; allocates nothing.
    ///
    /// - Precondition: the size is positive.
    init(packed size: ImageSize, format: PixelFormat, range: ColorRange?) {
        precondition(size.width > 0 && size.height > 0)
        self.size = size
        self.format = format
        matrix = .bt601
        self.range = range ?? ColorRange.usual(of: format)
        byteCount = format.byteCount(of: size)
        rowStride = format.rowByteCount(ofWidth: size.width)
        let chromaRowByteCount = format.chromaRowByteCount(ofWidth: size.width)
        chromaStride = format.planeCount == 1 ? rowStride : chromaRowByteCount
        let second = rowStride * size.height
        let third = second + chromaRowByteCount * format.chromaSize(of: size).height
        secondPlaneOffset = format.planeCount > 1 ? second : 0
        thirdPlaneOffset = format.planeCount > 2 ? third : 0
    }
}
