// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// What a download may leave in the place of a file.
enum StandIn {
    /// Refuses a file that only stands for another one.
    ///
    /// - Throws: `ConversionError.unsupported` with what to do.
    /// - Source: git-lfs, docs/spec.md, "The Pointer".
    static func refuse(_ file: MappedFile) throws(ConversionError) {
        if file.bytes.starts(with: "version https://git-lfs".utf8) {
            throw .unsupported(
                path: file.path,
                what: "a pointer of git-lfs in place of the file; fetch it with git lfs pull"
            )
        }
        let space: [UInt8] = [0x09, 0x0A, 0x0D, 0x20]
        if file.bytes.prefix(64).first(where: { !space.contains($0) }) == UInt8(ascii: "<") {
            throw .unsupported(
                path: file.path,
                what: "a page of a web site in place of the file; download it again, with the "
                    + "access that the page may ask for"
            )
        }
    }
}
