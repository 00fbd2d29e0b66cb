// SPDX-License-Identifier: Apache-2.0
import CV4L2
import OcellusImage

/// How a camera's pictures are coded, of the codings that are read.
struct CameraCoding {
    /// The samples; nil if the pictures are JPEGs.
    let samples: PixelFormat?
    /// The blocks of memory that a picture comes in.
    let planeCount: Int
    /// What a pixel costs: the bytes to copy and to convert, or the like of it.
    ///
    /// A JPEG pixel costs about as much as copying ten bytes. Gray is nearly free, but has no colours
    /// to ask about: it is taken only where there is nothing else.
    let costPerPixel: Double

    /// Whether the pictures are JPEGs.
    var isJPEG: Bool { samples == nil }

    /// The coding of a format, nil if it is not read.
    init?(_ format: FourCC) {
        switch format.description {
        case "NV12": self.init(.nv12, cost: 1.5)
        case "YU12": self.init(.yuv420, cost: 1.5)
        case "NM12": self.init(.nv12, planeCount: 2, cost: 1.5)
        case "YM12": self.init(.yuv420, planeCount: 3, cost: 1.5)
        case "YUYV": self.init(.yuyv, cost: 2)
        case "UYVY": self.init(.uyvy, cost: 2)
        case "422P": self.init(.yuv422, cost: 2)
        case "RGB3": self.init(.rgb24, cost: 3)
        case "BGR3": self.init(.bgr24, cost: 3)
        case "MJPG", "JPEG": self.init(nil, cost: 10)
        case "GREY": self.init(.gray8, cost: 100)
        default: return nil
        }
    }

    private init(_ samples: PixelFormat?, planeCount: Int = 1, cost: Double) {
        self.samples = samples
        self.planeCount = planeCount
        costPerPixel = cost
    }
}
