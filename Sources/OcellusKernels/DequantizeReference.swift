// SPDX-License-Identifier: Apache-2.0
internal import OcellusMemory

/// The values of weights of any type, element by element.
///
/// The definition of ggml's layouts, and of interleaved rows, beside the fast kernels.
func dequantizeReference(_ w: WeightMatrix, into out: Tensor) {
    // Safety: the view is valid during the call.
    let bytes = unsafe UnsafeRawBufferPointer(start: w.base, count: w.byteCount)
    let (elementCount, byteCount) = (w.type.blockElementCount, w.type.blockByteCount)
    let groupRowCount = WeightType.groupRowCount
    let interleavedRowCount = w.type.isInterleaved ? w.rows / groupRowCount * groupRowCount : 0
    for row in 0..<w.rows {
        for column in 0..<w.columns {
            let block = column / elementCount
            var start = row * w.rowByteCount + block * byteCount
            var lane: Int?
            if row < interleavedRowCount {
                lane = row % groupRowCount
                start =
                    (row - row % groupRowCount) * w.rowByteCount
                    + block * groupRowCount * byteCount
            }
            // Safety: the block lies inside the matrix.
            let part = unsafe Block(bytes: bytes, start: start, lane: lane)
            out[row, column] = part.value(w.type.plain, at: column % elementCount)
        }
    }
}

/// One block of weights.
@safe
private struct Block {
    let bytes: UnsafeRawBufferPointer
    /// Where the block begins, or those of all rows of its group.
    let start: Int
    /// Which row of a group has the block, or nil if it lies alone.
    let lane: Int?

    /// The element `i` of the block.
    func value(_ type: WeightType, at i: Int) -> Float {
        switch type {
        case .f32:
            unsafe bytes.loadUnaligned(fromByteOffset: place(0), as: Float.self)
        case .bf16:
            Float(bitPattern: UInt32(bits(0)) << 16)
        case .f16:
            half(0)
        case .q8_0, .q8_row:
            half(0) * Float(Int8(truncatingIfNeeded: byte(2 + i)))
        case .q4_0:
            half(0) * Float(nibble(2, i) - 8)
        case .q4_1:
            half(0) * Float(nibble(4, i)) + half(2)
        case .q5_0:
            half(0) * Float(nibble(6, i) + 16 * bit(2, i) - 16)
        case .q5_1:
            half(0) * Float(nibble(8, i) + 16 * bit(4, i)) + half(2)
        case .q4_k:
            packed(i, quant: pairedNibble(16, i))
        case .q5_k:
            packed(i, quant: pairedNibble(48, i) + 16 * (byte(16 + i % 32) >> (i / 32) & 1))
        case .q6_k:
            half(208) * Float(Int8(truncatingIfNeeded: byte(192 + i / 16))) * Float(sixBits(i) - 32)
        case .q4_0x16, .q8_0x16:
            preconditionFailure("read as its plain type")
        }
    }

    /// Where a byte of the block lies: those of 16 rows are a scale each, then four bytes of each.
    private func place(_ offset: Int) -> Int {
        guard let lane else { return start + offset }
        guard offset >= 2 else { return start + 2 * lane + offset }
        return start + 32 + (offset - 2) / 4 * 64 + 4 * lane + (offset - 2) % 4
    }

    private func byte(_ offset: Int) -> Int {
        unsafe Int(bytes[place(offset)])
    }

    private func bits(_ offset: Int) -> UInt16 {
        unsafe bytes.loadUnaligned(fromByteOffset: place(offset), as: UInt16.self)
    }

    private func half(_ offset: Int) -> Float {
        float(half: bits(offset))
    }

    /// Four bits: those of the first sixteen elements are the low halves of sixteen bytes.
    private func nibble(_ offset: Int, _ i: Int) -> Int {
        byte(offset + i % 16) >> (i < 16 ? 0 : 4) & 15
    }

    /// One bit of a little-endian word.
    private func bit(_ offset: Int, _ i: Int) -> Int {
        byte(offset + i / 8) >> (i % 8) & 1
    }

    /// Four bits: of each 64 elements, the first half are the low halves of 32 bytes.
    private func pairedNibble(_ offset: Int, _ i: Int) -> Int {
        byte(offset + i / 64 * 32 + i % 32) >> (i / 32 % 2 * 4) & 15
    }

    /// Six bits of Q6_K: of each 128 elements, low halves of 64 bytes, then high ones; and pairs of
    /// bits of 32 bytes.
    private func sixBits(_ i: Int) -> Int {
        let (part, quarter, lane) = (i / 128, i / 32 % 4, i % 32)
        let low = byte(64 * part + quarter % 2 * 32 + lane) >> (quarter / 2 * 4) & 15
        let high = byte(128 + 32 * part + lane) >> (2 * quarter) & 3
        return low + 16 * high
    }

    /// A value of Q4_K or Q5_K: each 32 elements have a scale and a minimum of six bits.
    private func packed(_ i: Int, quant: Int) -> Float {
        let part = i / 32
        let scale: Int
        let minimum: Int
        if part < 4 {
            scale = byte(4 + part) & 63
            minimum = byte(8 + part) & 63
        } else {
            scale = byte(8 + part) & 15 + byte(part) >> 6 * 16
            minimum = byte(8 + part) >> 4 + byte(4 + part) >> 6 * 16
        }
        return half(0) * Float(scale) * Float(quant) - half(2) * Float(minimum)
    }
}

/// An IEEE half as f32, from its fields.
private func float(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 31)
    let fraction = UInt32(bits & 1023)
    switch exponent {
    case 0:  // subnormal: fraction * 2^-24
        let magnitude = Float(fraction) * Float(bitPattern: 0x3380_0000)
        return Float(bitPattern: magnitude.bitPattern | sign)
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
}
