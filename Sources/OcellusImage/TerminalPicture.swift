// SPDX-License-Identifier: Apache-2.0

/// Draws frames in a terminal: as half blocks in colour, or as sixel graphics.
public struct TerminalPicture {
    /// What the terminal can show.
    public enum Style: Sendable {
        /// Half blocks, each cell two pixels in 24-bit colour.
        case blocks
        /// Half blocks in the 256 colours of xterm.
        case blocks256
        /// Sixel graphics; with the size of a character cell in pixels.
        case sixel(cell: ImageSize)
    }

    /// A rectangle of character cells; rows and columns count from 1, as terminals do.
    public struct Area: Equatable, Sendable {
        /// The uppermost row.
        public var row: Int
        /// The leftmost column.
        public var column: Int
        /// The count of rows.
        public var rowCount: Int
        /// The count of columns.
        public var columnCount: Int

        /// A rectangle of cells.
        public init(row: Int, column: Int, rowCount: Int, columnCount: Int) {
            self.row = row
            self.column = column
            self.rowCount = rowCount
            self.columnCount = columnCount
        }
    }

    /// What the terminal can show.
    public let style: Style

    private var picture = ReducedPicture()
    private var sixel = SixelEncoder()

    /// A way to draw.
    public init(style: Style) {
        self.style = style
    }

    /// Appends what draws a frame in the middle of an area, as large as fits; nothing outside the frame
    /// is touched.
    ///
    /// Memory is used again, so that frames of one size allocate nothing after the first.
    public mutating func draw(_ frame: Frame, in area: Area, into text: inout [UInt8]) {
        guard area.rowCount > 0, area.columnCount > 0 else { return }
        switch style {
        case .blocks, .blocks256:
            // A cell is twice as high as it is wide, and shows two pixels.
            let room = ImageSize(width: area.columnCount, height: 2 * area.rowCount)
            var size = fitted(frame.size, in: room, magnified: true)
            size = ImageSize(width: size.width, height: (size.height + 1) / 2 * 2)
            picture.reduce(frame, to: size)
            appendBlocks(in: area, into: &text)
        case .sixel(let cell):
            let room = ImageSize(
                width: area.columnCount * cell.width,
                // A sixel band is six pixels high, and must not leave the area.
                height: area.rowCount * cell.height / 6 * 6
            )
            picture.reduce(frame, to: fitted(frame.size, in: room, magnified: false))
            let rows = (picture.size.height + cell.height - 1) / cell.height
            let columns = (picture.size.width + cell.width - 1) / cell.width
            text.moveCursor(
                row: area.row + max(0, (area.rowCount - rows) / 2),
                column: area.column + max(0, (area.columnCount - columns) / 2)
            )
            sixel.encode(picture, into: &text)
        }
    }

    /// The largest size of the same shape.
    private func fitted(_ size: ImageSize, in room: ImageSize, magnified: Bool) -> ImageSize {
        if !magnified, size.fits(in: room) { return size }
        if size.width * room.height > size.height * room.width {
            let height = (size.height * room.width + size.width / 2) / size.width
            return ImageSize(width: max(1, room.width), height: max(1, height))
        }
        let width = (size.width * room.height + size.height / 2) / size.height
        return ImageSize(width: max(1, width), height: max(1, room.height))
    }

    private func appendBlocks(in area: Area, into text: inout [UInt8]) {
        let (width, rowCount) = (picture.size.width, picture.size.height / 2)
        let firstRow = area.row + max(0, (area.rowCount - rowCount) / 2)
        let firstColumn = area.column + max(0, (area.columnCount - width) / 2)
        for row in 0..<rowCount {
            text.moveCursor(row: firstRow + row, column: firstColumn)
            var drawn: (upper: SIMD3<UInt8>, lower: SIMD3<UInt8>)?
            for x in 0..<width {
                let upper = pixel(x, 2 * row)
                let lower = pixel(x, 2 * row + 1)
                if drawn?.upper != upper { text.setColour(.letters, upper, style) }
                if drawn?.lower != lower { text.setColour(.ground, lower, style) }
                drawn = (upper, lower)
                text.append("\u{2580}")  // the upper half of a block
            }
            text.append("\u{1B}[0m")
        }
    }

    private func pixel(_ x: Int, _ y: Int) -> SIMD3<UInt8> {
        let first = 3 * (y * picture.size.width + x)
        return SIMD3(
            picture.pixels[first],
            picture.pixels[first + 1],
            picture.pixels[first + 2]
        )
    }
}
