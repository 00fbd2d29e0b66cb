// SPDX-License-Identifier: Apache-2.0

/// How the samples of a frame are laid out, eight bits each.
public enum PixelFormat: Sendable {
    /// Red, green and blue, side by side; V4L2's RGB3.
    case rgb24
    /// Blue, green and red, side by side; V4L2's BGR3.
    case bgr24
    /// One plane of luma; V4L2's GREY.
    case gray8
    /// Luma, blue difference, luma, red difference: two pixels share their chroma; V4L2's YUYV.
    case yuyv
    /// As `yuyv`, chroma first; V4L2's UYVY.
    case uyvy
    /// A plane of luma, then one of chroma pairs at half the width and half the height, rounded up;
    /// V4L2's NV12.
    case nv12
    /// Planes Y, U, V; chroma at half the width and half the height, rounded up; V4L2's YU12.
    case yuv420
    /// Planes Y, U, V; chroma at half the width, rounded up; V4L2's 422P.
    case yuv422
    /// Planes Y, U, V of the same size.
    case yuv444

    /// Whether the samples are luma and colour differences.
    public var isYUV: Bool {
        switch self {
        case .rgb24, .bgr24, .gray8: false
        case .yuyv, .uyvy, .nv12, .yuv420, .yuv422, .yuv444: true
        }
    }

    /// The count of halvings of the width in the chroma samples.
    var chromaShiftX: Int {
        switch self {
        case .rgb24, .bgr24, .gray8, .yuv444: 0
        case .yuyv, .uyvy, .nv12, .yuv420, .yuv422: 1
        }
    }

    /// The count of halvings of the height in the chroma samples.
    var chromaShiftY: Int {
        switch self {
        case .rgb24, .bgr24, .gray8, .yuyv, .uyvy, .yuv422, .yuv444: 0
        case .nv12, .yuv420: 1
        }
    }

    /// The count of planes.
    var planeCount: Int {
        switch self {
        case .rgb24, .bgr24, .gray8, .yuyv, .uyvy: 1
        case .nv12: 2
        case .yuv420, .yuv422, .yuv444: 3
        }
    }

    /// The bytes of one row of the first plane, without padding.
    func rowByteCount(ofWidth width: Int) -> Int {
        switch self {
        case .rgb24, .bgr24: 3 * width
        case .yuyv, .uyvy: 4 * ((width + 1) / 2)
        case .gray8, .nv12, .yuv420, .yuv422, .yuv444: width
        }
    }

    /// The bytes of one row of a plane of chroma, without padding; 0 if there is no such plane.
    func chromaRowByteCount(ofWidth width: Int) -> Int {
        switch self {
        case .rgb24, .bgr24, .gray8, .yuyv, .uyvy: 0
        case .nv12: 2 * ((width + 1) / 2)
        case .yuv420, .yuv422: (width + 1) / 2
        case .yuv444: width
        }
    }

    /// The size of each kind of chroma samples.
    func chromaSize(of size: ImageSize) -> ImageSize {
        ImageSize(
            width: (size.width + chromaShiftX) >> chromaShiftX,
            height: (size.height + chromaShiftY) >> chromaShiftY
        )
    }

    /// The bytes of a frame without padding between rows and planes.
    public func byteCount(of size: ImageSize) -> Int {
        let chromaByteCount =
            chromaRowByteCount(ofWidth: size.width) * chromaSize(of: size).height
        return rowByteCount(ofWidth: size.width) * size.height
            + (planeCount - 1) * chromaByteCount
    }
}
