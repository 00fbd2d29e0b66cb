// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusMemory

/// The file of a picture, open, with as much of its beginning in memory as its header needs.
///
/// Pictures are read, not mapped: a file that another program shortens meanwhile gives an error, not
/// a signal.
struct OpenPicture: ~Copyable {
    /// The bytes that are read first; enough for nearly all headers.
    private static let firstByteCount = 64 << 10
    /// The bytes that may stand before the pixels.
    private static let headerLimit = 16 << 20

    private let path: String
    private let descriptor: Int32
    private var beginning: [UInt8] = []

    /// Opens a file.
    ///
    /// The corresponding C calls are `open` and `fstat`.
    ///
    /// - Throws: `ImageError.unreadable` with the system's reason, or if it is a folder or a device.
    init(_ path: String) throws(ImageError) {
        descriptor = try OpenPicture.open(path)
        self.path = path
    }

    deinit { close(descriptor) }

    /// Reads as much of the file as its header needs.
    ///
    /// - Throws: `ImageError.unreadable`, `.damaged`, also if more than 16 MiB stand before the
    ///   pixels, or as `PictureDecoder.size(of:)`.
    mutating func header(limit: ImageSize) throws(ImageError) -> PictureHeader {
        var wantedByteCount = OpenPicture.firstByteCount
        while wantedByteCount <= OpenPicture.headerLimit {
            beginning = try first(wantedByteCount)
            if let header = try PictureDecoder.header(
                of: beginning.span,
                isComplete: beginning.count < wantedByteCount,
                path: path,
                limit: limit
            ) {
                return header
            }
            wantedByteCount *= 4
        }
        throw .damaged(path: path, reason: "more than 16 MiB stand before its pixels")
    }

    /// Decodes the picture whose header was read.
    ///
    /// - Throws: as `PictureDecoder.decode`.
    func decode(_ header: PictureHeader, into slot: Bytes) throws(ImageError) -> Frame {
        // The beginning is where the file's position is: nothing else was read.
        try PictureDecoder.decode(beginning.span, rest: descriptor, header, path: path, into: slot)
    }

    /// The first bytes of the file: so many, or all.
    private func first(_ count: Int) throws(ImageError) -> [UInt8] {
        var failed = lseek(descriptor, 0, SEEK_SET) != 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            guard !failed, let base = buffer.baseAddress else { return }
            // Safety: the buffer has room for count bytes.
            let got = unsafe PictureInput.read(descriptor, count, into: base)
            failed = got < 0
            filled = max(0, got)
        }
        if failed { throw .unreadable(path: path, reason: OpenPicture.systemReason()) }
        return bytes
    }

    private static func open(_ path: String) throws(ImageError) -> Int32 {
        let descriptor = unsafe clibc_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
        var status = stat()
        let isKnown = unsafe fstat(descriptor, &status) == 0
        if isKnown, clibc_is_file(status.st_mode) != 0 { return descriptor }
        let reason = isKnown ? "it is not a file" : systemReason()
        close(descriptor)
        throw .unreadable(path: path, reason: reason)
    }

    /// The text for the last error of the C library.
    private static func systemReason() -> String {
        // Safety: strerror returns a string, for unknown numbers too.
        unsafe String(cString: strerror(clibc_errno()))
    }
}
