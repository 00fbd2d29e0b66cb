// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// The entries of a zip archive whose data is stored, not compressed, as `torch.save` writes it.
///
/// - Source: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.14 to 4.5.3 (zip64).
struct ZipDirectory {
    /// Where the data of each entry lies in the file.
    private(set) var entries: [String: Range<Int>] = [:]

    private let file: MappedFile

    /// Reads the directory at the end of a file.
    ///
    /// - Throws: `ConversionError.damaged` and `.unsupported`.
    init(of file: MappedFile) throws(ConversionError) {
        self.file = file
        let end = try findEnd()
        var count = Int(try integer(UInt16.self, at: end + 10))
        var position = Int(try integer(UInt32.self, at: end + 16))
        // All ones: the values did not fit, and are in the zip64 record.
        if count == 0xFFFF || position == 0xFFFF_FFFF {
            let record = Int(clamping: try integer(UInt64.self, at: end - 20 + 8))
            guard try signature(at: end - 20) == 0x0706_4B50,
                try signature(at: record) == 0x0606_4B50
            else { throw damaged("the zip64 record is missing", at: end) }
            count = Int(clamping: try integer(UInt64.self, at: record + 32))
            position = Int(clamping: try integer(UInt64.self, at: record + 48))
        }
        // An entry takes at least 46 bytes.
        guard count <= file.bytes.count / 46 else {
            throw damaged("the directory has \(count) entries, more than fit,", at: end)
        }
        for _ in 0..<count { position = try readEntry(at: position) }
    }

    /// Finds the record that ends an archive: it may be followed by a comment.
    private func findEnd() throws(ConversionError) -> Int {
        let last = file.bytes.count - 22
        guard last >= 0 else { throw damaged("too short for a zip archive", at: 0) }
        for position in stride(from: last, through: max(0, last - 0xFFFF), by: -1)
        where try signature(at: position) == 0x0605_4B50 {
            return position
        }
        throw damaged(
            "the directory of the zip archive is missing; the file is cut short or damaged",
            at: file.bytes.count
        )
    }

    /// Reads an entry of the directory, and returns where the next begins.
    private mutating func readEntry(at start: Int) throws(ConversionError) -> Int {
        guard try signature(at: start) == 0x0201_4B50 else {
            throw damaged("an entry of the directory is missing", at: start)
        }
        let method = try integer(UInt16.self, at: start + 10)
        var stored = Int(try integer(UInt32.self, at: start + 20))
        let size = try integer(UInt32.self, at: start + 24)
        let nameCount = Int(try integer(UInt16.self, at: start + 28))
        let extraCount = Int(try integer(UInt16.self, at: start + 30))
        let commentCount = Int(try integer(UInt16.self, at: start + 32))
        var local = Int(try integer(UInt32.self, at: start + 42))
        let extra = start + 46 + nameCount
        let name = String(decoding: try bytes(start + 46..<extra), as: UTF8.self)

        // The zip64 field has only those of the values that did not fit, in this order.
        if var field = try zip64Field(in: extra..<extra + extraCount) {
            if size == .max { field += 8 }
            if stored == 0xFFFF_FFFF {
                stored = Int(clamping: try integer(UInt64.self, at: field))
                field += 8
            }
            if local == 0xFFFF_FFFF {
                local = Int(clamping: try integer(UInt64.self, at: field))
            }
        }
        guard !name.contains("/code/") else {
            throw .unsupported(
                path: file.path,
                what:
                    "a program of TorchScript; load it with torch.jit.load and save its state_dict "
                    + "with torch.save"
            )
        }
        guard method == 0 else {
            throw .unsupported(
                path: file.path,
                what: "'\(name)' in the zip archive is compressed; torch.save stores it as it is"
            )
        }
        guard try signature(at: local) == 0x0403_4B50 else {
            throw damaged("the header of '\(name)' is missing", at: local)
        }
        let localName = Int(try integer(UInt16.self, at: local + 26))
        let localExtra = Int(try integer(UInt16.self, at: local + 28))
        let data = local + 30 + localName + localExtra
        guard stored <= file.bytes.count - data else {
            throw .truncated(
                path: file.path,
                what: "'\(name)' in the zip archive",
                offset: data,
                needed: stored,
                available: max(0, file.bytes.count - data)
            )
        }
        guard entries.updateValue(data..<data + stored, forKey: name) == nil else {
            throw damaged("'\(name)' is there twice", at: start)
        }
        return extra + extraCount + commentCount
    }

    /// Where the values of the zip64 field among the extra fields begin, or nil.
    private func zip64Field(in range: Range<Int>) throws(ConversionError) -> Int? {
        var position = range.lowerBound
        while position + 4 <= range.upperBound {
            if try integer(UInt16.self, at: position) == 1 { return position + 4 }
            position += 4 + Int(try integer(UInt16.self, at: position + 2))
        }
        return nil
    }

    private func signature(at position: Int) throws(ConversionError) -> UInt32 {
        try integer(UInt32.self, at: position)
    }

    private func integer<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type,
        at position: Int
    ) throws(ConversionError) -> T {
        // The subtraction cannot overflow, the addition could.
        guard position >= 0, position <= file.bytes.count - MemoryLayout<T>.size else {
            throw damaged("the zip archive points outside of the file", at: max(0, position))
        }
        return T(littleEndian: file.bytes.loadUnaligned(fromByteOffset: position, as: T.self))
    }

    private func bytes(_ range: Range<Int>) throws(ConversionError) -> Slice<UnsafeRawBufferPointer>
    {
        guard range.upperBound <= file.bytes.count else {
            throw damaged("the zip archive points outside of the file", at: range.lowerBound)
        }
        return file.bytes[range]
    }

    private func damaged(_ what: String, at offset: Int) -> ConversionError {
        .damaged(path: file.path, what: what, offset: offset)
    }
}
