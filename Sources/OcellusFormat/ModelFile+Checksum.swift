// SPDX-License-Identifier: Apache-2.0

extension ModelFile {
    /// A number that tells this model from others: to refuse the saved state of another model.
    ///
    /// It covers the file's size, every byte before the data, and of the data every 4096-byte page,
    /// or 4096 evenly spaced pages if there are more (16 MiB of any larger file). Words of 8 bytes
    /// are folded in with exclusive or, a rotation and a product by an odd number, each of which
    /// can be undone: two files that differ in one covered word have different checksums. It guards
    /// against mistakes, not against forgery.
    ///
    /// - Complexity: Reads all that it covers; ask once.
    public var checksum: UInt64 {
        let pageByteCount = 4096
        let maximumPageCount = 4096
        var hash = fold(UInt64(byteCount), into: 0xcbf2_9ce4_8422_2325)
        hash = fold(0..<dataOffset, into: hash)
        let pageCount = (byteCount - dataOffset + pageByteCount - 1) / pageByteCount
        let takenCount = min(pageCount, maximumPageCount)
        for taken in 0..<takenCount {
            // pageCount * taken stays far below 2^63: pages are 4096 bytes, taken at most 4096.
            let page = Int(UInt64(pageCount) * UInt64(taken) / UInt64(takenCount))
            let start = dataOffset + page * pageByteCount
            hash = fold(start..<min(start + pageByteCount, byteCount), into: hash)
        }
        return hash
    }

    /// Folds a range of the file, its last word filled up with zeros.
    private func fold(_ range: Range<Int>, into start: UInt64) -> UInt64 {
        var hash = start
        var offset = range.lowerBound
        // Safety: the range is inside the file, whole words inside the range.
        while offset + 8 <= range.upperBound {
            let word = unsafe file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            hash = fold(UInt64(littleEndian: word), into: hash)
            offset += 8
        }
        var rest: UInt64 = 0
        for index in offset..<max(offset, range.upperBound) {
            rest |= unsafe UInt64(file.bytes[index]) << UInt64(8 * (index - offset))
        }
        return fold(rest, into: hash)
    }

    private func fold(_ word: UInt64, into hash: UInt64) -> UInt64 {
        let mixed = hash ^ word
        return ((mixed << 29) | (mixed >> 35)) &* 0x9e37_79b9_7f4a_7c15
    }
}
