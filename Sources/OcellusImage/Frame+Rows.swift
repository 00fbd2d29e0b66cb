// SPDX-License-Identifier: Apache-2.0

extension Frame {
    /// Writes pixels of one row as red, green, blue bytes.
    ///
    /// Chroma is taken from the nearest sample to the left and above, as video players do when they
    /// do not scale.
    ///
    /// - Parameters:
    ///   - y: the row.
    ///   - x: the first column.
    ///   - count: the count of pixels.
    ///   - out: 3 * `count` bytes.
    /// - Precondition: the pixels are in the frame.
    @unsafe
    func copyRow(_ y: Int, from x: Int, count: Int, into out: UnsafeMutablePointer<UInt8>) {
        precondition(y >= 0 && y < size.height && x >= 0 && count <= size.width - x)
        switch format {
        case .rgb24: unsafe copyInterleavedRow(y, from: x, count: count, into: out)
        case .gray8: unsafe copyGrayRow(y, from: x, count: count, into: out)
        case .yuv420, .yuv422, .yuv444: unsafe convertRow(y, from: x, count: count, into: out)
        }
    }

    /// The pixels of one row where they lie, if they lie there as red, green, blue bytes.
    @unsafe
    func contiguousRow(_ y: Int, from x: Int) -> UnsafePointer<UInt8>? {
        precondition(y >= 0 && y < size.height && x >= 0 && x < size.width)
        guard format == .rgb24, luma.columnStride == 3 else { return nil }
        return unsafe luma.base + (y * luma.rowStride + 3 * x)
    }

    private func copyInterleavedRow(
        _ y: Int,
        from x: Int,
        count: Int,
        into out: UnsafeMutablePointer<UInt8>
    ) {
        var source = unsafe luma.base + (y * luma.rowStride + x * luma.columnStride)
        for pixel in 0..<count {
            // Safety: the pixels were checked to be in the plane.
            unsafe out[3 * pixel] = source[0]
            unsafe out[3 * pixel + 1] = source[1]
            unsafe out[3 * pixel + 2] = source[2]
            unsafe source += luma.columnStride
        }
    }

    private func copyGrayRow(
        _ y: Int,
        from x: Int,
        count: Int,
        into out: UnsafeMutablePointer<UInt8>
    ) {
        var source = unsafe luma.base + (y * luma.rowStride + x * luma.columnStride)
        for pixel in 0..<count {
            // Safety: as above.
            unsafe out[3 * pixel] = source.pointee
            unsafe out[3 * pixel + 1] = source.pointee
            unsafe out[3 * pixel + 2] = source.pointee
            unsafe source += luma.columnStride
        }
    }

    private func convertRow(
        _ y: Int,
        from x: Int,
        count: Int,
        into out: UnsafeMutablePointer<UInt8>
    ) {
        let conversion = YUVConversion(range)
        let chromaRow = y >> format.chromaShiftY
        let shift = format.chromaShiftX
        let lumaRow = unsafe luma.base + y * luma.rowStride
        let rowU = unsafe chromaU.base + chromaRow * chromaU.rowStride
        let rowV = unsafe chromaV.base + chromaRow * chromaV.rowStride
        for pixel in 0..<count {
            let column = x + pixel
            // Safety: the pixels were checked; a chroma plane covers all of them.
            let rgb = unsafe conversion.rgb(
                y: lumaRow[column * luma.columnStride],
                u: rowU[(column >> shift) * chromaU.columnStride],
                v: rowV[(column >> shift) * chromaV.columnStride]
            )
            unsafe out[3 * pixel] = rgb.red
            unsafe out[3 * pixel + 1] = rgb.green
            unsafe out[3 * pixel + 2] = rgb.blue
        }
    }
}
