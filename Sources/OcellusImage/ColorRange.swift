// SPDX-License-Identifier: Apache-2.0

/// Which byte values of a frame mean black and white.
public enum ColorRange: Sendable {
    /// Luma 16...235, chroma 16...240, as in nearly all video.
    case limited
    /// Both 0...255, as in JPEG.
    case full

    /// What a format has when nobody says otherwise.
    static func usual(of format: PixelFormat) -> ColorRange { format.isYUV ? .limited : .full }
}
