// SPDX-License-Identifier: Apache-2.0

/// A block of Q6_K: 256 weights in sixteen parts, each with a scale of eight bits with sign.
///
/// `value = d * scale[part] * (quant - 32)`
struct SignedBlock {
    private static let partCount = 16
    private static let partLength = 16

    private var d: UInt16 = 0
    private var scales = [Int8](repeating: 0, count: Self.partCount)
    private var quants = [UInt8](repeating: 32, count: Self.partCount * Self.partLength)

    /// Fits each part, rounds the scales to eight bits, then the values to what these allow.
    init(_ x: UnsafeBufferPointer<Float>, importance: UnsafeBufferPointer<Float>?) {
        let fits = (0..<Self.partCount).map { part in
            let range = part * Self.partLength..<(part + 1) * Self.partLength
            return linearFit(
                UnsafeBufferPointer(rebasing: x[range]),
                levels: 32,
                importance: importance.map { UnsafeBufferPointer(rebasing: $0[range]) }
            )
        }
        // -128 is there and 128 is not, so the greatest scale is the negative one.
        let greatest = fits.reduce(0) { abs($1) > abs($0) ? $1 : $0 }
        d = half(greatest / -128)
        let step = Float(Float16(bitPattern: d))
        guard step != 0 else { return }
        for part in 0..<Self.partCount {
            scales[part] = Int8(clamped((fits[part] / step).rounded(), to: -128...127))
            let scale = step * Float(scales[part])
            guard scale != 0 else { continue }
            for index in part * Self.partLength..<(part + 1) * Self.partLength {
                let quant = (x[index] / scale).rounded(.toNearestOrEven)
                quants[index] = UInt8(clamped(quant, to: -32...31) + 32)
            }
        }
    }

    /// Writes the 210 bytes of the block.
    func write(to out: UnsafeMutableRawPointer) {
        // Of each 128 weights, 64 bytes hold the low four bits and 32 bytes the high two of four.
        for part in 0..<2 {
            for lane in 0..<32 {
                let q = (0..<4).map { quants[128 * part + 32 * $0 + lane] }
                store(q[0] & 15 | (q[2] & 15) << 4, out, at: 64 * part + lane)
                store(q[1] & 15 | (q[3] & 15) << 4, out, at: 64 * part + 32 + lane)
                store(
                    q[0] >> 4 | (q[1] >> 4) << 2 | (q[2] >> 4) << 4 | (q[3] >> 4) << 6,
                    out,
                    at: 128 + 32 * part + lane
                )
            }
        }
        for index in 0..<Self.partCount { store(scales[index], out, at: 192 + index) }
        store(d, out, at: 208)
    }
}
