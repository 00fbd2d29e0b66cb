// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The checksum that `sha256sum` prints, of bytes that come in portions.
///
/// - Source: FIPS 180-4, sections 4.1.2, 5.1.1 and 6.2.
struct SHA256 {
    private static let blockByteCount = 64

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = primes(64).map { fraction(cbrt($0)) }
    /// The same of the square roots of the first 8 primes.
    private static let start: [UInt32] = primes(8).map { fraction($0.squareRoot()) }

    private var hash = Self.start
    private var schedule = [UInt32](repeating: 0, count: 64)
    /// The bytes of a block that is not complete.
    private var rest: [UInt8] = []
    private var byteCount = 0

    /// Adds bytes.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        byteCount += bytes.count
        var start = 0
        if !rest.isEmpty {
            start = min(Self.blockByteCount - rest.count, bytes.count)
            rest.append(contentsOf: bytes[..<start])
            guard rest.count == Self.blockByteCount else { return }
            let block = rest
            rest.removeAll(keepingCapacity: true)
            block.withUnsafeBytes { addBlock($0) }
        }
        while bytes.count - start >= Self.blockByteCount {
            addBlock(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.blockByteCount]))
            start += Self.blockByteCount
        }
        rest.append(contentsOf: bytes[start...])
    }

    /// Ends the message; 64 hexadecimal digits.
    consuming func finish() -> String {
        let bitCount = UInt64(byteCount) * 8
        let used = (byteCount + 1 + 8) % Self.blockByteCount
        let zeros = used == 0 ? 0 : Self.blockByteCount - used
        let padding = [0x80] + [UInt8](repeating: 0, count: zeros)
        padding.withUnsafeBytes { add($0) }
        withUnsafeBytes(of: bitCount.bigEndian) { add($0) }
        return hash.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private mutating func addBlock(_ block: UnsafeRawBufferPointer) {
        for index in 0..<16 {
            let word = block.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
            schedule[index] = UInt32(bigEndian: word)
        }
        for index in 16..<64 {
            let (early, late) = (schedule[index - 15], schedule[index - 2])
            let first = early.rotated(7) ^ early.rotated(18) ^ early >> 3
            let second = late.rotated(17) ^ late.rotated(19) ^ late >> 10
            schedule[index] = schedule[index - 16] &+ first &+ schedule[index - 7] &+ second
        }
        var (a, b, c, d) = (hash[0], hash[1], hash[2], hash[3])
        var (e, f, g, h) = (hash[4], hash[5], hash[6], hash[7])
        for index in 0..<64 {
            let mixed = e.rotated(6) ^ e.rotated(11) ^ e.rotated(25)
            let chosen = (e & f) ^ (~e & g)
            let first = h &+ mixed &+ chosen &+ Self.constants[index] &+ schedule[index]
            let majority = (a & b) ^ (a & c) ^ (b & c)
            let second = (a.rotated(2) ^ a.rotated(13) ^ a.rotated(22)) &+ majority
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
        }
        for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { hash[index] &+= word }
    }

    private static func primes(_ count: Int) -> [Double] {
        var primes: [Int] = []
        var candidate = 2
        while primes.count < count {
            if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes.map(Double.init)
    }

    private static func fraction(_ value: Double) -> UInt32 {
        UInt32((value - value.rounded(.down)) * 0x1p32)
    }
}

extension UInt32 {
    /// Rotates the bits to the right.
    fileprivate func rotated(_ count: UInt32) -> UInt32 {
        self &>> count | self &<< (32 - count)
    }
}
