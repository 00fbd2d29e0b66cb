// SPDX-License-Identifier: Apache-2.0

/// The name of a file of a `FrameArchive`: `ocellus-20261121T081530.250Z-00000042-yes.jpg`.
///
/// Time and answer are for people; the order is that of the numbers, since a board's clock may start
/// in 1970.
struct ArchivedName {
    /// The position in the archive's history.
    let number: Int
    /// The name itself.
    let text: String

    /// The name while the file is being written.
    var partialText: String { text + ArchivedName.partialEnding }

    private static let partialEnding = ".partial"
    /// The bytes of an answer that a name shows.
    private static let answerByteLimit = 40
    private static let prefix = "ocellus-"
    private static let ending = ".jpg"
    /// The bytes of `20261121T081530.250Z`.
    private static let timeByteCount = 20
    private static let numberDigitCount = 8

    /// The name of a new file.
    ///
    /// Letters of the answer become small, digits stay, all else becomes single dashes.
    init(number: Int, nanosecondsSince1970 time: Int64, answer: String) {
        var bytes = Array(ArchivedName.prefix.utf8)
        var clock: [UInt8] = []
        WallClock.append(nanosecondsSince1970: time, to: &clock)
        for byte in clock where byte != UInt8(ascii: "-") && byte != UInt8(ascii: ":") {
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "-"))
        let digits = Array(String(number).utf8)
        for _ in digits.count..<max(digits.count, ArchivedName.numberDigitCount) {
            bytes.append(UInt8(ascii: "0"))
        }
        bytes += digits
        let limit = bytes.count + ArchivedName.answerByteLimit
        var isApart = true
        for byte in answer.utf8 where bytes.count < limit {
            guard let byte = ArchivedName.safe(byte) else {
                isApart = true
                continue
            }
            if isApart { bytes.append(UInt8(ascii: "-")) }
            isApart = false
            bytes.append(byte)
        }
        bytes += Array(ArchivedName.ending.utf8)
        self.number = number
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// The name of a file that is there; nil unless it is one that the other initializer makes.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        let prefix = Array(ArchivedName.prefix.utf8)
        let ending = Array(ArchivedName.ending.utf8)
        guard bytes.starts(with: prefix), bytes.suffix(ending.count).elementsEqual(ending) else {
            return nil
        }
        let parts = bytes[prefix.count..<max(prefix.count, bytes.count - ending.count)]
            .split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 2, ArchivedName.isTime(parts[0]),
            parts[1].count >= ArchivedName.numberDigitCount,
            parts[1].allSatisfy({ ArchivedName.isDigit($0) }),
            let number = Int(String(decoding: parts[1], as: UTF8.self)),
            parts.dropFirst(2).allSatisfy({ part in
                !part.isEmpty && part.allSatisfy { ArchivedName.safe($0) == $0 }
            })
        else { return nil }
        self.number = number
        self.text = text
    }

    /// The name that a file will have, which is being written; nil unless it is one of ours.
    init?(partial text: String) {
        let bytes = Array(text.utf8)
        let ending = Array(ArchivedName.partialEnding.utf8)
        guard bytes.suffix(ending.count).elementsEqual(ending) else { return nil }
        self.init(String(decoding: bytes.dropLast(ending.count), as: UTF8.self))
    }

    private static func isTime(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count == timeByteCount else { return false }
        for (position, byte) in text.enumerated() {
            switch position {
            case 8: if byte != UInt8(ascii: "T") { return false }
            case 15: if byte != UInt8(ascii: ".") { return false }
            case 19: if byte != UInt8(ascii: "Z") { return false }
            default: if !isDigit(byte) { return false }
            }
        }
        return true
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// A letter in small, or a digit; nil for anything else.
    private static func safe(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        default: nil
        }
    }
}
