// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Writes one row of weights as f32: the embedding of a token.
///
/// Shapes:
/// - out: `w.columns` elements, in any shape.
@_noAllocation @_noLocks
public func dequantizeRow(_ w: WeightMatrix, row: Int, into out: Tensor) {
    precondition(row >= 0 && row < w.rows && out.count == w.columns)
    // Safety: the row lies inside w, and out takes one row.
    unsafe ck_dequantize(w.operand, row, out.reshaped(rows: 1, columns: w.columns).operand)
}

/// Writes all weights as f32.
///
/// Shapes:
/// - out: `w.rows * w.columns` elements, in any shape.
@_noAllocation @_noLocks
public func dequantize(_ w: WeightMatrix, into out: Tensor) {
    precondition(out.count == w.rows * w.columns)
    // Safety: equal counts.
    unsafe ck_dequantize(w.operand, 0, out.reshaped(rows: w.rows, columns: w.columns).operand)
}

/// The layouts of ggml's `Q8_0` and `Q4_0` blocks, element by element.
func dequantizeReference(_ w: WeightMatrix, into out: Tensor) {
    let bytes = unsafe UnsafeRawBufferPointer(start: w.base, count: w.byteCount)
    func half(_ offset: Int) -> UInt16 {
        unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
    }
    for row in 0..<w.rows {
        for column in 0..<w.columns {
            let index = row * w.columns + column
            let block = index / 32
            let lane = index % 32
            out[row, column] =
                switch w.type {
                case .f32: unsafe bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
                case .bf16: Float(bitPattern: UInt32(half(2 * index)) << 16)
                case .f16: float(half: half(2 * index))
                case .q8_0:
                    unsafe float(half: half(34 * block))
                        * Float(Int8(bitPattern: bytes[34 * block + 2 + lane]))
                case .q4_0:
                    unsafe float(half: half(18 * block))
                        * Float(
                            Int(bytes[18 * block + 2 + lane % 16] >> (lane < 16 ? 0 : 4) & 15) - 8
                        )
                }
        }
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
