// SPDX-License-Identifier: Apache-2.0
import CLibc

/// A file that bytes are written to, one block after the other.
@safe
public final class OutputFile {
    private let stream: UnsafeMutablePointer<FILE>

    /// Creates a file, or empties the one that is there.
    ///
    /// The corresponding C call is `fopen`.
    ///
    /// - Throws: `CaptureError.unwritable`.
    public init(path: String) throws(CaptureError) {
        guard let stream = unsafe fopen(path, "we") else {
            throw .unwritable(path: path, reason: SystemError.reason())
        }
        unsafe self.stream = stream
    }

    deinit { unsafe _ = fclose(stream) }

    /// Writes bytes; whether all of them could be written.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe fwrite(bytes.baseAddress, 1, bytes.count, stream) == bytes.count
    }

    /// Hands all bytes to the system; whether that was possible.
    public func flush() -> Bool { unsafe fflush(stream) == 0 }
}
