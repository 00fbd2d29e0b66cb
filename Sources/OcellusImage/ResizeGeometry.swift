// SPDX-License-Identifier: Apache-2.0

/// Which pass of a resize is the first.
enum PassOrder {
    /// Columns are summed first, row by row.
    case alongRows
    /// Rows are summed first.
    case acrossRows
}

/// The sizes and places of one preparation: region, canvas, resized picture, output.
///
/// The region of the frame lies on a canvas (larger than the region when it is padded); the canvas is
/// resized; the output is a window of the resized canvas.
struct ResizeGeometry {
    /// The pixels of the frame that are used.
    let region: CropRectangle
    /// The region with its padding.
    let canvas: ImageSize
    /// Where the region lies on the canvas.
    let regionX: Int, regionY: Int
    /// The canvas after the resize.
    let resized: ImageSize
    /// Where the output lies on the resized canvas.
    let outputX: Int, outputY: Int

    /// Lays out a region for an output, as the strategy says.
    init(region: CropRectangle, settings: PreprocessorSettings) {
        let output = ImageSize(width: settings.outputWidth, height: settings.outputHeight)
        self.region = region
        canvas = ResizeGeometry.canvas(
            of: ImageSize(width: region.width, height: region.height),
            settings.strategy
        )
        regionX = (canvas.width - region.width) / 2
        regionY = (canvas.height - region.height) / 2
        let covered = ImageSize(
            width: output.width + settings.margin,
            height: output.height + settings.margin
        )
        switch settings.strategy {
        case .stretch: resized = covered
        case .crop, .pad: resized = ResizeGeometry.cover(covered, with: canvas)
        }
        outputX = (resized.width - output.width) / 2
        outputY = (resized.height - output.height) / 2
    }

    /// Which pass is the first: as Pillow 13 has it, the one across rows in a picture that loses rows, and
    /// more than twice as many as columns.
    ///
    /// Samples are rounded to bytes between the passes, so the order shows.
    var passOrder: PassOrder {
        let lostRows = canvas.height - resized.height
        let lostColumns = canvas.width - resized.width
        return lostRows > 0 && lostRows > 2 * lostColumns ? .acrossRows : .alongRows
    }

    /// The most pixels in a row between the passes, of regions that lie on canvases up to a size.
    ///
    /// The pass along rows leaves the output's width. The one across rows leaves the canvas's, and is the
    /// first only where that is less than the resized width and half of the lost rows: at most the covered
    /// width and half of the height.
    static func widthBetweenPasses(
        canvasLimit: ImageSize,
        settings: PreprocessorSettings
    ) -> Int {
        let across = settings.outputWidth + settings.margin + canvasLimit.height / 2
        return max(settings.outputWidth, min(canvasLimit.width, across))
    }

    /// The canvas for a picture of a size.
    static func canvas(of size: ImageSize, _ strategy: PreprocessorSettings.Strategy) -> ImageSize {
        guard case .pad = strategy else { return size }
        let side = max(size.width, size.height)
        return ImageSize(width: side, height: side)
    }

    /// The smallest size in the shape of `picture` that covers `output`; the longer side is rounded
    /// down, as in the CLIP image processor of `transformers`.
    private static func cover(_ output: ImageSize, with picture: ImageSize) -> ImageSize {
        if picture.width * output.height <= picture.height * output.width {
            return ImageSize(
                width: output.width,
                height: output.width * picture.height / picture.width
            )
        }
        return ImageSize(
            width: output.height * picture.width / picture.height,
            height: output.height
        )
    }
}
