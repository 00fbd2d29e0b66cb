// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// Writes rows of weights as ggml's blocks.
///
/// For Q8_0, Q4_0 and Q5_0 the bytes are those of llama.cpp's quantiser, down to how halves round. For
/// Q4_K and Q6_K, whose search is each program's own, the layout is the same and the squared error is
/// made small (`ScaleSearch.swift`); so it is for Q4_0 and Q5_0 if values have an importance.
enum Blocks {
    /// The types that rows can be written in.
    static let types: [WeightType] = [
        .f32, .f16, .bf16, .q8_0, .q8_row, .q4_0, .q5_0, .q4_k, .q6_k,
    ]

    /// The greatest magnitude that a type can hold: blocks have a scale in half precision.
    static func greatestMagnitude(of type: WeightType) -> Float {
        switch type {
        case .f32: .greatestFiniteMagnitude
        case .bf16: Float(bitPattern: 0x7F7F_0000)
        default: Float(Float16.greatestFiniteMagnitude)
        }
    }

    /// Writes one row.
    ///
    /// - Parameters:
    ///   - x: The values: a whole number of blocks, none greater than the type can hold.
    ///   - importance: How much the square of each error counts, or nil if all count alike; Q8_0,
    ///     Q8_row and the types without blocks do not look at it.
    ///   - type: One of `types`.
    ///   - out: The bytes of the row.
    static func write(
        _ x: UnsafeBufferPointer<Float>,
        importance: UnsafeBufferPointer<Float>?,
        as type: WeightType,
        to out: UnsafeMutableRawPointer
    ) {
        let elementCount = type.blockElementCount
        let rowMagnitude = type == .q8_row ? greatestMagnitude(in: x) : 0
        for block in 0..<x.count / elementCount {
            let range = block * elementCount..<(block + 1) * elementCount
            let values = UnsafeBufferPointer(rebasing: x[range])
            let to = out + block * type.blockByteCount
            let weights = importance.map { UnsafeBufferPointer(rebasing: $0[range]) }
            switch type {
            case .q8_0: writeQ8(values, magnitude: greatestMagnitude(in: values), to: to)
            case .q8_row: writeQ8(values, magnitude: rowMagnitude, to: to)
            case .q4_0: writeQ4(values, weights, to: to)
            case .q5_0: writeQ5(values, weights, to: to)
            case .q4_k: PackedBlock(values, importance: weights).write(to: to)
            case .q6_k: SignedBlock(values, importance: weights).write(to: to)
            case .f32: store(values[0].bitPattern, to, at: 0)
            case .bf16: store(brainHalf(values[0]), to, at: 0)
            default: store(half(values[0]), to, at: 0)
            }
        }
    }

    private static func greatestMagnitude(in x: UnsafeBufferPointer<Float>) -> Float {
        x.reduce(0) { max($0, abs($1)) }
    }

    /// `d = max |x| / 127`, over the block or the row; quants rounded with halves away from zero.
    private static func writeQ8(
        _ x: UnsafeBufferPointer<Float>,
        magnitude: Float,
        to out: UnsafeMutableRawPointer
    ) {
        let d = magnitude / 127
        let inverse = d == 0 ? 0 : 1 / d
        store(half(d), out, at: 0)
        for index in 0..<32 {
            let quant = (x[index] * inverse).rounded(.toNearestOrAwayFromZero)
            store(Int8(clamped(quant, to: -128...127)), out, at: 2 + index)
        }
    }

    /// `d` maps the value of the greatest magnitude to -8, or is searched for.
    private static func writeQ4(
        _ x: UnsafeBufferPointer<Float>,
        _ importance: UnsafeBufferPointer<Float>?,
        to out: UnsafeMutableRawPointer
    ) {
        let (d, inverse) = scale(x, importance, levels: 8)
        store(half(d), out, at: 0)
        for index in 0..<16 {
            let low = truncated(x[index] * inverse + 8.5, limit: 15)
            let high = truncated(x[index + 16] * inverse + 8.5, limit: 15)
            store(UInt8(low | high << 4), out, at: 2 + index)
        }
    }

    /// `d` maps the value of the greatest magnitude to -16, or is searched for; the fifth bits lie apart.
    private static func writeQ5(
        _ x: UnsafeBufferPointer<Float>,
        _ importance: UnsafeBufferPointer<Float>?,
        to out: UnsafeMutableRawPointer
    ) {
        let (d, inverse) = scale(x, importance, levels: 16)
        store(half(d), out, at: 0)
        var fifthBits: UInt32 = 0
        for index in 0..<16 {
            let low = truncated(x[index] * inverse + 16.5, limit: 31)
            let high = truncated(x[index + 16] * inverse + 16.5, limit: 31)
            store(UInt8(low & 15 | (high & 15) << 4), out, at: 6 + index)
            fifthBits |= UInt32(low >> 4) << UInt32(index)
            fifthBits |= UInt32(high >> 4) << UInt32(index + 16)
        }
        store(fifthBits, out, at: 2)
    }

    /// The scale that maps the first value of the greatest magnitude to `-levels`, or that has the least
    /// error by importance, and its inverse.
    private static func scale(
        _ x: UnsafeBufferPointer<Float>,
        _ importance: UnsafeBufferPointer<Float>?,
        levels: Float
    ) -> (d: Float, inverse: Float) {
        if let importance {
            let d = linearFit(x, levels: levels, importance: importance)
            return (d, d == 0 ? 0 : 1 / d)
        }
        var extreme: Float = 0
        for value in x where abs(value) > abs(extreme) { extreme = value }
        let d = extreme / -levels
        return (d, d == 0 ? 0 : 1 / d)
    }

    private static func truncated(_ x: Float, limit: Int) -> Int {
        min(limit, Int(clamped(x, to: 0...255)))
    }

}

/// The nearest number in a range; zero for NaN, which scales of subnormal numbers can give.
func clamped(_ x: Float, to range: ClosedRange<Float>) -> Float {
    x.isNaN ? 0 : min(max(x, range.lowerBound), range.upperBound)
}

/// The bits of the nearest half.
func half(_ x: Float) -> UInt16 {
    Float16(x).bitPattern
}

/// The upper half of the bits of the nearest number that has no others, halves to even.
func brainHalf(_ x: Float) -> UInt16 {
    let bits = x.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}

/// Stores an integer, little-endian, without alignment.
func store(_ value: some FixedWidthInteger, _ out: UnsafeMutableRawPointer, at offset: Int) {
    out.storeBytes(of: value.littleEndian, toByteOffset: offset, as: type(of: value))
}
