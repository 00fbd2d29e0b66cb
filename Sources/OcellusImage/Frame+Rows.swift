// SPDX-License-Identifier: Apache-2.0

extension Frame {
    /// Writes pixels of one row as red, green, blue bytes.
    ///
    /// Halved chroma is interpolated, see `ChromaRow`.
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
        case .rgb24:
            unsafe copyInterleavedRow(y, from: x, count: count, red: 0, blue: 2, into: out)
        case .bgr24:
            unsafe copyInterleavedRow(y, from: x, count: count, red: 2, blue: 0, into: out)
        case .gray8:
            unsafe copyGrayRow(y, from: x, count: count, into: out)
        case .yuv444:
            unsafe convertRow(y, from: x, count: count, into: out)
        case .yuyv, .uyvy, .nv12, .yuv420, .yuv422:
            unsafe convertHalvedRow(y, from: x, count: count, into: out)
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
        red: Int,
        blue: Int,
        into out: UnsafeMutablePointer<UInt8>
    ) {
        var source = unsafe luma.base + (y * luma.rowStride + x * luma.columnStride)
        for pixel in 0..<count {
            // Safety: the pixels were checked to be in the plane.
            unsafe out[3 * pixel] = source[red]
            unsafe out[3 * pixel + 1] = source[1]
            unsafe out[3 * pixel + 2] = source[blue]
            unsafe source += luma.columnStride
        }
    }

    private func copyGrayRow(
        _ y: Int,
        from x: Int,
        count: Int,
        into out: UnsafeMutablePointer<UInt8>
    ) {
        let conversion = YUVConversion(matrix, range)
        var source = unsafe luma.base + (y * luma.rowStride + x * luma.columnStride)
        for pixel in 0..<count {
            // Safety: as above.
            let gray = unsafe conversion.gray(source.pointee)
            unsafe out[3 * pixel] = gray
            unsafe out[3 * pixel + 1] = gray
            unsafe out[3 * pixel + 2] = gray
            unsafe source += luma.columnStride
        }
    }

    /// A row whose pixels have chroma of their own.
    private func convertRow(
        _ y: Int,
        from x: Int,
        count: Int,
        into out: UnsafeMutablePointer<UInt8>
    ) {
        let conversion = YUVConversion(matrix, range)
        let lumaRow = unsafe luma.base + (y * luma.rowStride + x)
        let rowU = unsafe chromaU.base + (y * chromaU.rowStride + x)
        let rowV = unsafe chromaV.base + (y * chromaV.rowStride + x)
        for pixel in 0..<count {
            // Safety: the pixels were checked; the planes have the same size.
            let chroma = unsafe SIMD2(Int32(rowU[pixel]), Int32(rowV[pixel]))
            unsafe conversion.convert(
                y: lumaRow[pixel],
                chroma: chroma &<< YUVConversion.chromaFractionBits,
                into: out + 3 * pixel
            )
        }
    }

    /// A row of which two pixels share their chroma.
    private func convertHalvedRow(
        _ y: Int,
        from x: Int,
        count: Int,
        into out: UnsafeMutablePointer<UInt8>
    ) {
        let conversion = YUVConversion(matrix, range)
        let lumaRow = unsafe luma.base + y * luma.rowStride
        var chroma = ChromaRow(of: self, row: y, fromPair: x / 2)
        var column = x
        while column < x + count {
            let pair = chroma.next()
            if column & 1 == 0 {
                // Safety: the pixels were checked; the chroma row limits itself.
                unsafe conversion.convert(
                    y: lumaRow[column * luma.columnStride],
                    chroma: pair.lowHalf,
                    into: out + 3 * (column - x)
                )
                column += 1
                guard column < x + count else { return }
            }
            // Safety: as above.
            unsafe conversion.convert(
                y: lumaRow[column * luma.columnStride],
                chroma: pair.highHalf,
                into: out + 3 * (column - x)
            )
            column += 1
        }
    }
}
