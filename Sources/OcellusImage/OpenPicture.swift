// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusMemory

/// The file of a picture, open, with as much of its beginning in memory as its header needs.
///
/// What stands before the pixels and says nothing about them is left out, mostly unread. Pictures are
/// read, not mapped: a file that another program shortens meanwhile gives an error, not a signal.
struct OpenPicture: ~Copyable {
    /// The bytes that are read at once; enough for nearly all headers.
    private static let pieceByteCount = 64 << 10
    /// The bytes that may stand before the pixels, but for those that are left out.
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
        var isComplete = try !readPiece()
        let format = try PictureDecoder.format(of: beginning.span, path: path)
        var position = format.firstSegment
        while beginning.count <= OpenPicture.headerLimit {
            try leaveOut(from: &position, format)
            if let header = try PictureDecoder.header(
                of: beginning.span,
                isComplete: isComplete,
                format,
                path: path,
                limit: limit
            ) {
                return header
            }
            isComplete = try !readPiece()
        }
        throw .damaged(path: path, reason: "more than 16 MiB stand before its pixels")
    }

    /// Decodes the picture whose header was read.
    ///
    /// - Throws: as `PictureDecoder.decode`.
    func decode(_ header: PictureHeader, into slot: Bytes) throws(ImageError) -> Frame {
        // The file stands behind the beginning.
        try PictureDecoder.decode(beginning.span, rest: descriptor, header, path: path, into: slot)
    }

    /// Appends the next bytes of the file to the beginning; false if these were the last.
    private mutating func readPiece() throws(ImageError) -> Bool {
        var got = -1
        let count = OpenPicture.pieceByteCount
        let piece = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            guard let base = buffer.baseAddress else { return }
            // Safety: the buffer has room for count bytes.
            unsafe got = PictureInput.read(descriptor, count, into: base)
            filled = max(0, got)
        }
        guard got >= 0 else { throw .unreadable(path: path, reason: OpenPicture.systemReason()) }
        if beginning.isEmpty { beginning = piece } else { beginning += piece }
        return got == count
    }

    /// Leaves out of the beginning, and of the file behind it, the segments that are not needed.
    ///
    /// - Parameters:
    ///   - position: where the first segment begins that was not looked at; moved on.
    ///   - format: the file's.
    /// - Throws: `ImageError.unreadable`.
    private mutating func leaveOut(
        from position: inout Int,
        _ format: PictureFormat
    ) throws(ImageError) {
        var source = position
        while let segment = format.segment(in: beginning.span, at: source),
            !segment.isNeeded || segment.end <= beginning.count
        {
            if segment.isNeeded {
                for index in source..<segment.end {
                    beginning[position] = beginning[index]
                    position += 1
                }
            }
            source = segment.end
        }
        let unread = max(0, source - beginning.count)
        beginning.removeSubrange(position..<source - unread)
        guard unread == 0 || lseek(descriptor, unread, SEEK_CUR) >= 0 else {
            throw .unreadable(path: path, reason: OpenPicture.systemReason())
        }
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
