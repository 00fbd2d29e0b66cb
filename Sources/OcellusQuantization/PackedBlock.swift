// SPDX-License-Identifier: Apache-2.0

/// A block of Q4_K: 256 weights in eight parts, each with a scale and a minimum of six bits.
///
/// `value = d * scale[part] * quant - dMin * minimum[part]`
struct PackedBlock {
    private static let partCount = 8
    private static let partLength = 32

    private var d: UInt16 = 0
    private var dMin: UInt16 = 0
    private var scales = [UInt8](repeating: 0, count: Self.partCount)
    private var minima = [UInt8](repeating: 0, count: Self.partCount)
    private var quants = [UInt8](repeating: 0, count: Self.partCount * Self.partLength)

    /// Fits each part, rounds the parts' factors to six bits, then the values to what these allow.
    init(_ x: UnsafeBufferPointer<Float>, importance: UnsafeBufferPointer<Float>?) {
        let parts = (0..<Self.partCount).map { part in
            let range = part * Self.partLength..<(part + 1) * Self.partLength
            return affineFit(
                UnsafeBufferPointer(rebasing: x[range]),
                importance: importance.map { UnsafeBufferPointer(rebasing: $0[range]) }
            )
        }
        d = half(parts.reduce(0) { max($0, $1.scale) } / 63)
        dMin = half(parts.reduce(0) { max($0, -$1.minimum) } / 63)
        let (step, stepMin) = (Float(Float16(bitPattern: d)), Float(Float16(bitPattern: dMin)))
        for part in 0..<Self.partCount {
            scales[part] = Self.sixBits(parts[part].scale, step: step)
            minima[part] = Self.sixBits(-parts[part].minimum, step: stepMin)
            let scale = step * Float(scales[part])
            guard scale > 0 else { continue }
            let minimum = stepMin * Float(minima[part])
            for index in part * Self.partLength..<(part + 1) * Self.partLength {
                let quant = ((x[index] + minimum) / scale).rounded(.toNearestOrEven)
                quants[index] = UInt8(clamped(quant, to: 0...15))
            }
        }
    }

    private static func sixBits(_ factor: Float, step: Float) -> UInt8 {
        step > 0 ? UInt8(clamped((factor / step).rounded(), to: 0...63)) : 0
    }

    /// Writes the 144 bytes of the block.
    func write(to out: UnsafeMutableRawPointer) {
        store(d, out, at: 0)
        store(dMin, out, at: 2)
        // The first four parts have their six bits in one byte each; the others' low four bits lie
        // together, and their high two bits on top of the first.
        for part in 0..<4 {
            let (scale, minimum) = (scales[part + 4], minima[part + 4])
            store(scales[part] | (scale >> 4) << 6, out, at: 4 + part)
            store(minima[part] | (minimum >> 4) << 6, out, at: 8 + part)
            store(scale & 15 | minimum << 4, out, at: 12 + part)
        }
        // Of each 64 weights, the first half are the low halves of 32 bytes.
        for pair in 0..<4 {
            for lane in 0..<32 {
                let low = quants[64 * pair + lane]
                let high = quants[64 * pair + 32 + lane]
                store(low | high << 4, out, at: 16 + 32 * pair + lane)
            }
        }
    }
}
