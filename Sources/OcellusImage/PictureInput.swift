// SPDX-License-Identifier: Apache-2.0
import CLibc

/// The bytes of a picture as its decoder takes them: those that are in memory, then those that are
/// still in a file.
///
/// The rest is read piece by piece, so that beside the pixels only a piece of the file takes memory.
@unsafe
struct PictureInput {
    /// All bytes, or the first ones.
    let beginning: UnsafeBufferPointer<UInt8>
    /// The descriptor of the file, which stands behind the beginning; -1 if nothing follows.
    let rest: Int32
    /// How many bytes of the beginning were taken.
    private var position = 0

    init(beginning: UnsafeBufferPointer<UInt8>, rest: Int32 = -1) {
        unsafe self.beginning = unsafe beginning
        unsafe self.rest = rest
    }

    /// Takes the next bytes; false if there are not so many.
    mutating func take(_ count: Int, into out: UnsafeMutableRawPointer) -> Bool {
        let here = unsafe min(count, beginning.count - position)
        if here > 0, let base = unsafe beginning.baseAddress {
            // Safety: so many bytes are left there, and out has room for count bytes.
            unsafe out.copyMemory(from: base + position, byteCount: here)
            unsafe position += here
        }
        guard here < count else { return true }
        return unsafe PictureInput.read(rest, count - here, into: out + here) == count - here
    }

    /// Reads until there are so many bytes, or the file ends.
    ///
    /// The corresponding C call is `read`.
    ///
    /// - Returns: how many there are; -1 if the file cannot be read.
    static func read(_ file: Int32, _ count: Int, into out: UnsafeMutableRawPointer) -> Int {
        var filled = 0
        while filled < count {
            // Safety: out has room for count bytes.
            let got = unsafe CLibc.read(file, out + filled, count - filled)
            if got < 0, clibc_errno() == EINTR { continue }
            if got < 0 { return -1 }
            if got == 0 { break }
            filled += got
        }
        return filled
    }
}
