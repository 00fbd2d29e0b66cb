// SPDX-License-Identifier: Apache-2.0

/// What a download may leave in the place of a file.
package enum StandIn {
    /// Refuses a file that only stands for another one.
    ///
    /// - Throws: `ModelFileError.standIn` with what to do.
    /// - Source: git-lfs, docs/spec.md, "The Pointer".
    package static func refuse(_ file: MappedFile) throws(ModelFileError) {
        // Safety: the bytes are read while the file is alive.
        if unsafe file.bytes.starts(with: "version https://git-lfs".utf8) {
            throw .standIn(
                path: file.path,
                what: "a pointer of git-lfs in place of the file; fetch it with git lfs pull"
            )
        }
        // Safety: as above.
        let text = unsafe file.bytes.prefix(64).drop { isSpace($0) }
        if unsafe text.first == UInt8(ascii: "<"),
            unsafe text.dropFirst().first.map(beginsTag) ?? false
        {
            throw .standIn(
                path: file.path,
                what: "a page of a web site in place of the file; download it again, with the "
                    + "access that the page may ask for"
            )
        }
    }

    /// Whether a byte may follow "<": numbers that a binary file begins with may look like that alone.
    private static func beginsTag(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?")
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }
}
