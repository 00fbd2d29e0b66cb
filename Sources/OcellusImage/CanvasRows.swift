// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// The rows of a region of a frame with its padding, one at a time, as red, green, blue bytes.
@safe
struct CanvasRows {
    private let frame: Frame
    private let geometry: ResizeGeometry
    private let fill: SIMD3<UInt8>
    private let row: UnsafeMutablePointer<UInt8>

    /// Reads rows of a frame, through `row` when they do not lie ready in the frame.
    ///
    /// - Precondition: `row` has three bytes for each column of the canvas.
    init(frame: Frame, geometry: ResizeGeometry, fill: SIMD3<UInt8>, row: Bytes) {
        precondition(row.count >= 3 * geometry.canvas.width)
        self.frame = frame
        self.geometry = geometry
        self.fill = fill
        unsafe self.row = row.base.assumingMemoryBound(to: UInt8.self)
    }

    /// The pixels of a row of the canvas; valid until the next call.
    @unsafe
    func pixels(ofRow canvasRow: Int) -> UnsafePointer<UInt8> {
        let region = geometry.region
        let y = canvasRow - geometry.regionY
        guard y >= 0 && y < region.height else {
            fillRow(0..<geometry.canvas.width)
            return unsafe UnsafePointer(row)
        }
        if geometry.canvas.width == region.width,
            let pixels = unsafe frame.contiguousRow(region.y + y, from: region.x)
        {
            return unsafe pixels
        }
        let end = geometry.regionX + region.width
        fillRow(0..<geometry.regionX)
        unsafe frame.copyRow(
            region.y + y,
            from: region.x,
            count: region.width,
            into: row + 3 * geometry.regionX
        )
        fillRow(end..<geometry.canvas.width)
        return unsafe UnsafePointer(row)
    }

    private func fillRow(_ columns: Range<Int>) {
        for column in columns {
            // Safety: the row has three bytes for each column of the canvas.
            unsafe row[3 * column] = fill.x
            unsafe row[3 * column + 1] = fill.y
            unsafe row[3 * column + 2] = fill.z
        }
    }
}
