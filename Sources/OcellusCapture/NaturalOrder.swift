// SPDX-License-Identifier: Apache-2.0

/// The order in which people sort file names: `frame2` before `frame10`.
enum NaturalOrder {
    /// Whether a name comes before another; runs of digits count as numbers.
    static func precedes(_ first: String, _ second: String) -> Bool {
        let a = [UInt8](first.utf8)
        let b = [UInt8](second.utf8)
        var i = 0
        var j = 0
        while i < a.count, j < b.count {
            if isDigit(a[i]), isDigit(b[j]) {
                let numberA = digits(of: a, from: &i)
                let numberB = digits(of: b, from: &j)
                if numberA.count != numberB.count { return numberA.count < numberB.count }
                for (digitA, digitB) in zip(numberA, numberB) where digitA != digitB {
                    return digitA < digitB
                }
            } else {
                if a[i] != b[j] { return a[i] < b[j] }
                i += 1
                j += 1
            }
        }
        if a.count - i != b.count - j { return a.count - i < b.count - j }
        return a.lexicographicallyPrecedes(b)  // equal but for leading zeros
    }

    /// The digits of a number without leading zeros; moves past it.
    private static func digits(of name: [UInt8], from offset: inout Int) -> ArraySlice<UInt8> {
        while offset < name.count, name[offset] == UInt8(ascii: "0") { offset += 1 }
        let start = offset
        while offset < name.count, isDigit(name[offset]) { offset += 1 }
        return name[start..<offset]
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
