// SPDX-License-Identifier: Apache-2.0
import CV4L2
import OcellusImage

/// What a driver agreed to give: the answer to VIDIOC_S_FMT, checked.
struct CameraAgreement {
    /// The size of the pictures.
    let size: ImageSize
    /// The format.
    let format: FourCC
    /// Where the samples of a copied picture lie; nil if the pictures are JPEGs.
    let layout: FrameLayout?
    /// The blocks of memory that a picture comes in.
    let planeCount: Int
    /// The bytes of a slot that holds any picture.
    let slotByteCount: Int
    /// Pictures per second, if the driver says.
    var rate: Double?

    /// Where a plane is copied to, and how many bytes of it are wanted.
    struct Place {
        var offset = 0
        var byteCount = 0
    }

    private var places = (Place(), Place(), Place())

    /// Why an answer cannot be used.
    struct Refusal: Error {
        let reason: String
        /// Whether the pictures are good, and larger than was planned for.
        var isForSize = false
    }

    /// Checks an answer.
    ///
    /// - Parameters:
    ///   - picture: the answer.
    ///   - limit: no larger picture is accepted.
    /// - Throws: `Refusal` for another format than those that are read, a picture that is empty or too
    ///   large, fields that come one by one, and strides and planes that contradict the format.
    init(_ picture: cv4l2_picture, limit: ImageSize) throws(Refusal) {
        let format = FourCC(code: picture.fourcc)
        let size = ImageSize(width: Int(picture.width), height: Int(picture.height))
        guard let coding = CameraCoding(format), coding.planeCount == Int(picture.plane_count)
        else {
            throw Refusal(reason: "pictures in \(format.description)")
        }
        guard size.width > 0, size.height > 0, size.fits(in: limit) else {
            let isForSize = !size.fits(in: limit)
            throw Refusal(reason: "pictures of \(size.description) pixels", isForSize: isForSize)
        }
        guard picture.is_single_field == 0 else {
            throw Refusal(reason: "pictures of every other row")
        }
        self.size = size
        self.format = format
        planeCount = coding.planeCount
        guard let samples = coding.samples else {
            layout = nil
            // Drivers say the most that they ever write; some say nothing, some say too much.
            let most = 4 * size.pixelCount + (64 << 10)
            let said = Int(picture.byte_count.0)
            slotByteCount = said > 0 ? min(said, most) : most
            places.0 = Place(offset: 0, byteCount: slotByteCount)
            return
        }
        let strides = picture.row_stride
        // Planes in blocks of their own are copied one behind the other.
        let second = Int(strides.0) * size.height
        let third = second + Int(strides.1) * ((size.height + 1) / 2)
        let offsets: [Int]? = planeCount == 1 ? nil : planeCount == 2 ? [second] : [second, third]
        guard planeCount < 3 || strides.1 == strides.2 else {
            throw Refusal(reason: "chroma in rows of \(strides.1) and \(strides.2) bytes")
        }
        let layout: FrameLayout
        do throws(ImageError) {
            layout = try FrameLayout(
                size: size,
                format: samples,
                rowStride: Int(strides.0),
                chromaStride: offsets == nil ? nil : Int(strides.1),
                planeOffsets: offsets,
                matrix: CameraAgreement.matrix(of: picture),
                range: picture.is_full_range != 0 ? .full : .limited
            )
        } catch {
            throw Refusal(reason: error.description)
        }
        self.layout = layout
        slotByteCount = layout.byteCount
        let ends = (
            planeCount > 1 ? second : slotByteCount,
            planeCount > 2 ? third : slotByteCount
        )
        places.0 = Place(offset: 0, byteCount: ends.0)
        places.1 = Place(offset: ends.0, byteCount: ends.1 - ends.0)
        places.2 = Place(offset: ends.1, byteCount: slotByteCount - ends.1)
    }

    /// Where a plane is copied to.
    @_noAllocation @_noLocks
    func place(ofPlane plane: Int) -> Place {
        switch plane {
        case 0: places.0
        case 1: places.1
        default: places.2
        }
    }

    private static func matrix(of picture: cv4l2_picture) -> ColorMatrix {
        switch UInt32(picture.matrix) {
        case CV4L2_BT709.rawValue: .bt709
        case CV4L2_BT2020.rawValue: .bt2020
        default: .bt601
        }
    }
}
