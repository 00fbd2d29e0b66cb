// SPDX-License-Identifier: Apache-2.0

/// What the header of a picture's file says, before anything is decoded.
struct PictureHeader {
    let format: PictureFormat
    /// The size as stored.
    let storedSize: ImageSize
    /// How the stored picture is to be turned.
    let orientation: Orientation
    /// The denominator of the scale at which the decoder can decode into a limit, 1 for full size.
    private(set) var scaleDenominator: Int

    /// The size that the decoder gives, as stored.
    var scaledSize: ImageSize {
        ImageSize(
            width: (storedSize.width + scaleDenominator - 1) / scaleDenominator,
            height: (storedSize.height + scaleDenominator - 1) / scaleDenominator
        )
    }

    /// The size of the decoded picture, upright.
    var decodedSize: ImageSize { orientation.isTransposed ? scaledSize.transposed : scaledSize }

    /// Checks the size, and chooses the largest scale at which the picture fits into the limit.
    ///
    /// - Parameters:
    ///   - path: the file, for errors.
    ///   - format: the file's, which has these scales.
    ///   - storedSize: the size in the file.
    ///   - orientation: how to turn the picture.
    ///   - limit: the largest upright size.
    /// - Throws: `ImageError.damaged` if the size is empty, `ImageError.pictureTooLarge` if no scale
    ///   is small enough.
    init(
        path: String,
        format: PictureFormat,
        storedSize: ImageSize,
        orientation: Orientation,
        limit: ImageSize
    ) throws(ImageError) {
        guard storedSize.width > 0, storedSize.height > 0 else {
            throw .damaged(path: path, reason: "its size is \(storedSize.description) pixels")
        }
        for scale in format.scales {
            let header = PictureHeader(
                format: format,
                storedSize: storedSize,
                orientation: orientation,
                scaleDenominator: scale
            )
            if header.decodedSize.fits(in: limit) {
                self = header
                return
            }
        }
        let full = orientation.isTransposed ? storedSize.transposed : storedSize
        throw .pictureTooLarge(path: path, size: full, limit: limit)
    }

    /// Chooses the smallest scale at which neither side gets smaller than that of a size; none that is
    /// larger than now.
    mutating func shrink(toAtLeast minimum: ImageSize) {
        for scale in format.scales where scale > scaleDenominator {
            let header = PictureHeader(
                format: format,
                storedSize: storedSize,
                orientation: orientation,
                scaleDenominator: scale
            )
            if minimum.fits(in: header.decodedSize) { self = header }
        }
    }

    private init(
        format: PictureFormat,
        storedSize: ImageSize,
        orientation: Orientation,
        scaleDenominator: Int
    ) {
        self.format = format
        self.storedSize = storedSize
        self.orientation = orientation
        self.scaleDenominator = scaleDenominator
    }
}
