// SPDX-License-Identifier: Apache-2.0
import Ocellus

/// Where a rule stands, as it is saved with a session's state: little-endian numbers of 8 bytes.
///
///     offset
///          0  the rule's key: a checksum of its question, its answer and its command
///          8  bit 0: whether the condition holds; above: the answers in a row that contradict it
///         16  when its command was started last, in nanoseconds since 1970; 0: never
struct RuleRecord {
    var key: UInt64
    var isOn = false
    var contradictions = 0
    var lastStart: Int64 = 0

    private static let byteCount = 24

    /// The record of a rule with this key among others; nil if it has none.
    static func find(_ key: UInt64, in bytes: [UInt8]) -> RuleRecord? {
        func field(_ offset: Int) -> UInt64 {
            var value: UInt64 = 0
            for index in 0..<8 { value |= UInt64(bytes[offset + index]) << (8 * index) }
            return value
        }
        for record in 0..<(bytes.count / byteCount) {
            let offset = record * byteCount
            guard field(offset) == key else { continue }
            let condition = field(offset + 8)
            return RuleRecord(
                key: key,
                isOn: condition & 1 != 0,
                contradictions: Int(condition >> 1),
                lastStart: max(0, Int64(truncatingIfNeeded: field(offset + 16)))
            )
        }
        return nil
    }

    /// Appends the record to others.
    func append(to bytes: inout [UInt8]) {
        let condition = UInt64(contradictions) << 1 | (isOn ? 1 : 0)
        for value in [key, condition, UInt64(lastStart)] {
            for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
        }
    }

    /// The key of a rule.
    ///
    /// - Source: FNV-1a of Fowler, Noll and Vo, with a zero behind each text.
    static func key(of texts: [[UInt8]]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for text in texts {
            for byte in text + [0] { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        }
        return hash
    }
}
