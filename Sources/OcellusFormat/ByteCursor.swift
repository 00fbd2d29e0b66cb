// SPDX-License-Identifier: Apache-2.0

/// A position in untrusted bytes that never passes their end.
///
/// Every read says what it reads; when the bytes do not suffice, the error has the place, the need
/// and the rest. All numbers are little-endian and may lie at any alignment.
@safe
struct ByteCursor {
    let path: String
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    /// A cursor at the first of bytes that the caller keeps alive.
    @unsafe
    init(path: String, bytes: UnsafeRawBufferPointer) {
        self.path = path
        unsafe self.bytes = bytes
        position = 0
    }

    /// A cursor over the same bytes at a position that another one has been at.
    func moved(to position: Int) -> ByteCursor {
        precondition(position >= 0 && position <= self.position + available)
        var cursor = self
        cursor.position = position
        return cursor
    }

    /// The count of bytes after the position.
    var available: Int { unsafe bytes.count - position }

    /// Passes `count` bytes and gives the offset of the first.
    mutating func skip(_ count: UInt64, _ what: String) throws(ModelFileError) -> Int {
        guard let length = Int(exactly: count), length <= available else {
            throw .truncated(
                path: path,
                what: what,
                offset: position,
                needed: count,
                available: available
            )
        }
        defer { position += length }
        return position
    }

    /// Reads an integer of fixed width.
    mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type,
        _ what: String
    ) throws(ModelFileError) -> T {
        let offset = try skip(UInt64(MemoryLayout<T>.size), what)
        // Safety: `skip` has checked the range.
        return unsafe T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// Reads a count of things that take at least `minimumByteCount` bytes each in this file.
    ///
    /// A count that passes is safe to allocate for: it is bounded by the size of the file.
    mutating func count(
        ofAtLeast minimumByteCount: Int,
        _ what: String
    ) throws(ModelFileError) -> Int {
        let offset = position
        let count = try integer(UInt64.self, what)
        let (needed, overflow) = count.multipliedReportingOverflow(by: UInt64(minimumByteCount))
        guard !overflow, let count = Int(exactly: count), needed <= UInt64(available) else {
            throw .truncated(
                path: path,
                what: what,
                offset: offset,
                needed: overflow ? .max : needed,
                available: available
            )
        }
        return count
    }

    /// Passes a string (u64 length, then the bytes) and gives the place of its bytes.
    mutating func stringRange(_ what: String) throws(ModelFileError) -> Range<Int> {
        let length = try integer(UInt64.self, what)
        let start = try skip(length, what)
        return start..<position
    }

    /// Reads a string that must be UTF-8.
    mutating func string(_ what: String) throws(ModelFileError) -> String {
        let range = try stringRange(what)
        // Safety: `stringRange` has checked the range.
        let text = unsafe String(
            validating: UnsafeRawBufferPointer(rebasing: bytes[range]),
            as: UTF8.self
        )
        guard let text else {
            throw .invalid(path: path, what: "\(what) is not UTF-8", offset: range.lowerBound)
        }
        return text
    }
}
