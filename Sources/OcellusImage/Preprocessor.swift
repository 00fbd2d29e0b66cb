// SPDX-License-Identifier: Apache-2.0
public import OcellusMemory

/// Turns a frame into the input of a vision encoder: region of interest, resize, crop or padding,
/// normalisation.
///
/// The resize is that of Pillow 13 (antialiased, on bytes, in two passes), and equal to it bit by bit.
/// Rows are converted, resized and summed in one walk down the picture: only the few rows that one
/// output row sums are ever held.
public struct Preprocessor {
    /// What is done.
    public let settings: PreprocessorSettings
    /// The largest frame that can be prepared.
    public let maximumFrame: ImageSize

    /// The colour around a padded picture.
    private let fill: SIMD3<UInt8>
    private let columnTapLimit: Int
    private let rowTapLimit: Int
    private let columnTables: PlannedBytes
    private let rowTables: PlannedBytes
    private let sourceRow: PlannedBytes
    private let rowWindow: PlannedBytes

    /// Plans the scratch for frames up to a size; it is used in the current step of the planner only.
    ///
    /// - Precondition: `maximumFrame` is positive.
    public init(
        settings: PreprocessorSettings,
        maximumFrame: ImageSize,
        planner: inout MemoryPlanner
    ) {
        precondition(maximumFrame.width > 0 && maximumFrame.height > 0)
        let canvas = ResizeGeometry.canvas(of: maximumFrame, settings.strategy)
        self.settings = settings
        self.maximumFrame = maximumFrame
        fill = Self.fill(settings.mean)
        columnTapLimit = ResizeAxis.tapLimit(
            inputLimit: canvas.width,
            outputCount: settings.outputWidth,
            filter: settings.filter
        )
        rowTapLimit = ResizeAxis.tapLimit(
            inputLimit: canvas.height,
            outputCount: settings.outputHeight,
            filter: settings.filter
        )
        columnTables = planner.bytes(
            "resize columns",
            count: ResizeAxis.byteCount(
                outputCount: settings.outputWidth,
                tapLimit: columnTapLimit
            ),
            in: .scratch
        )
        rowTables = planner.bytes(
            "resize rows",
            count: ResizeAxis.byteCount(outputCount: settings.outputHeight, tapLimit: rowTapLimit),
            in: .scratch
        )
        sourceRow = planner.bytes("frame row", count: 3 * canvas.width, in: .scratch)
        rowWindow = planner.bytes(
            "resized rows",
            count: RowWindow.byteCount(
                width: ResizeGeometry.widthBetweenPasses(canvasLimit: canvas, settings: settings),
                outputWidth: settings.outputWidth,
                tapLimit: rowTapLimit
            ),
            in: .scratch
        )
        planner.release(columnTables)
        planner.release(rowTables)
        planner.release(sourceRow)
        planner.release(rowWindow)
    }

    /// Checks that `run` can prepare a frame.
    ///
    /// - Throws: `ImageError.pictureTooLarge` or `ImageError.cropOutside`.
    public func validate(_ frame: ImageSize, crop: CropRectangle?) throws(ImageError) {
        guard frame.fits(in: maximumFrame) else {
            throw .pictureTooLarge(path: "the frame", size: frame, limit: maximumFrame)
        }
        if let crop, !crop.fits(in: frame) { throw .cropOutside(crop, frame: frame) }
    }

    /// Prepares a frame.
    ///
    ///     pixels[c, i] = (resized[i, c] / 255 - mean[c]) / standardDeviation[c]
    ///
    /// - Parameters:
    ///   - frame: the picture.
    ///   - crop: the region of interest; nil for the whole picture.
    ///   - pixels: (3, outputHeight * outputWidth).
    ///   - arena: the block with the scratch that was planned.
    /// - Precondition: `validate` accepts the frame and the region.
    /// - Note: allocates nothing.
    @_noAllocation @_noLocks
    public func run(
        _ frame: Frame,
        crop: CropRectangle? = nil,
        into pixels: Tensor,
        in arena: borrowing Arena
    ) {
        let region = crop ?? CropRectangle(all: frame.size)
        precondition(frame.size.fits(in: maximumFrame) && region.fits(in: frame.size))
        precondition(pixels.rows == 3)
        precondition(pixels.columns == settings.outputWidth * settings.outputHeight)
        let geometry = ResizeGeometry(region: region, settings: settings)
        let columns = ResizeAxis(
            outputCount: settings.outputWidth,
            tapLimit: columnTapLimit,
            in: arena[columnTables]
        )
        let rows = ResizeAxis(
            outputCount: settings.outputHeight,
            tapLimit: rowTapLimit,
            in: arena[rowTables]
        )
        let window = RowWindow(
            columns: columns,
            rows: rows,
            geometry: geometry,
            in: arena[rowWindow]
        )
        let canvas = CanvasRows(
            frame: frame,
            geometry: geometry,
            fill: fill,
            row: arena[sourceRow]
        )
        resize(canvas, geometry: geometry, through: window, into: pixels)
    }

    /// The walk down the picture; the compiler proves that it does not allocate.
    @_noAllocation
    @_noLocks
    private func resize(
        _ canvas: CanvasRows,
        geometry: ResizeGeometry,
        through window: RowWindow,
        into pixels: Tensor
    ) {
        window.columns.prepare(
            inputCount: geometry.canvas.width,
            resizedCount: geometry.resized.width,
            firstOutput: geometry.outputX,
            filter: settings.filter
        )
        window.rows.prepare(
            inputCount: geometry.canvas.height,
            resizedCount: geometry.resized.height,
            firstOutput: geometry.outputY,
            filter: settings.filter
        )
        var nextRow = 0
        for outputRow in 0..<settings.outputHeight {
            let taps = window.rows.window(outputRow)
            nextRow = max(nextRow, taps.lowerBound)
            while nextRow < taps.upperBound {
                // Safety: a row of the canvas has as many pixels as the columns were prepared for.
                unsafe window.take(canvas.pixels(ofRow: nextRow), row: nextRow)
                nextRow += 1
            }
            window.finish(outputRow, into: pixels, settings: settings)
        }
    }

    /// int(255 * mean), as LLaVA has it.
    private static func fill(_ mean: SIMD3<Float>) -> SIMD3<UInt8> {
        var colour = SIMD3<UInt8>()
        for channel in 0..<3 {
            let value = mean[channel] * 255
            colour[channel] = value >= 0 ? UInt8(min(value, 255)) : 0  // not a number: 0
        }
        return colour
    }
}
