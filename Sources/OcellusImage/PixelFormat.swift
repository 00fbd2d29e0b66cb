// SPDX-License-Identifier: Apache-2.0

/// How the samples of a frame are laid out.
public enum PixelFormat: Sendable {
    /// Red, green and blue, a byte each, side by side.
    case rgb24
    /// One plane of luma, full range.
    case gray8
    /// Planes Y, U, V; chroma at half the width and half the height, rounded up.
    case yuv420
    /// Planes Y, U, V; chroma at half the width, rounded up.
    case yuv422
    /// Planes Y, U, V of the same size.
    case yuv444

    /// The count of halvings of the width in the chroma planes.
    var chromaShiftX: Int {
        switch self {
        case .rgb24, .gray8, .yuv444: 0
        case .yuv420, .yuv422: 1
        }
    }

    /// The count of halvings of the height in the chroma planes.
    var chromaShiftY: Int {
        switch self {
        case .rgb24, .gray8, .yuv422, .yuv444: 0
        case .yuv420: 1
        }
    }

    /// The bytes of a frame without padding between rows and planes.
    public func byteCount(of size: ImageSize) -> Int {
        switch self {
        case .rgb24: return 3 * size.pixelCount
        case .gray8: return size.pixelCount
        case .yuv420, .yuv422, .yuv444: return size.pixelCount + 2 * chromaSize(of: size).pixelCount
        }
    }

    /// The size of each chroma plane.
    func chromaSize(of size: ImageSize) -> ImageSize {
        ImageSize(
            width: (size.width + chromaShiftX) >> chromaShiftX,
            height: (size.height + chromaShiftY) >> chromaShiftY
        )
    }
}

/// Which byte values of a YUV frame mean black and white.
public enum ColorRange: Sendable {
    /// Luma 16...235, chroma 16...240, as in nearly all video.
    case limited
    /// Both 0...255, as in JPEG.
    case full
}
