// SPDX-License-Identifier: Apache-2.0

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
