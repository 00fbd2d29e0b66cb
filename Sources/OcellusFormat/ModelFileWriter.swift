// SPDX-License-Identifier: Apache-2.0

/// Writes a GGUF file of version 3, atomically: the file is there when `finish` has returned.
///
/// The data of the tensors streams through, in the order of the header, in portions of any size, so
/// that a large model need not be in memory. Tensors are aligned to 32 bytes, or to what the header
/// says.
@safe
public struct ModelFileWriter: ~Copyable {
    private let path: String
    private let names: [String]
    private let byteCounts: [Int]
    private let alignment: Int
    private var file: AtomicFile
    /// The tensor that the next byte belongs to, and how many of its bytes are written.
    private var tensor = 0
    private var written = 0

    /// Checks a header and writes it to a temporary file beside the target.
    ///
    /// - Throws: `ModelFileError.unwritable` if the header makes no valid file, `.cannotWrite`.
    public init(path: String, header: ModelHeader) throws(ModelFileError) {
        let (bytes, byteCounts) = try header.encoded(path: path)
        var file = try AtomicFile(path: path)
        try file.write(bytes)
        self.path = path
        self.names = header.tensors.map { $0.name }
        self.byteCounts = byteCounts
        alignment = header.alignment
        self.file = file
    }

    /// Checks a header, and goes on with the partial file of an interrupted writer of the same header.
    ///
    /// The partial file is `PATH.partial`; it is removed with this object, unless `finish` or `suspend`
    /// was called.
    ///
    /// - Parameters:
    ///   - path: The target.
    ///   - header: What the file says before its data.
    ///   - tensorCount: How many tensors of the partial file are complete, or nil to begin anew. If the
    ///     partial file has another header or is too short, it is begun anew as well.
    /// - Throws: `ModelFileError.unwritable` if the header makes no valid file, `.cannotWrite`.
    package init(
        path: String,
        header: ModelHeader,
        goingOnAfter tensorCount: Int?
    ) throws(ModelFileError) {
        let (bytes, byteCounts) = try header.encoded(path: path)
        let complete = min(max(tensorCount ?? 0, 0), byteCounts.count)
        var end = bytes.count
        for byteCount in byteCounts[..<complete] {
            end += byteCount + Self.padding(after: byteCount, alignment: header.alignment)
        }
        var kept = false
        var file = try AtomicFile(goingOn: path, after: end, beginningWith: bytes, kept: &kept)
        if !kept { try file.write(bytes) }
        self.path = path
        self.names = header.tensors.map { $0.name }
        self.byteCounts = byteCounts
        alignment = header.alignment
        self.file = file
        tensor = kept ? complete : 0
    }

    /// The count of tensors that have all of their bytes.
    package var completeTensorCount: Int { tensor }

    /// Makes the bytes so far durable.
    ///
    /// - Throws: `ModelFileError.cannotWrite`.
    package func synchronize() throws(ModelFileError) {
        try file.synchronize()
    }

    /// Leaves the partial file where it is, to go on with it later.
    package mutating func suspend() {
        file.suspend()
    }

    /// Appends data: the rest of the current tensor, and of those after it.
    ///
    /// - Throws: `ModelFileError.unwritable` if all tensors are complete before the end of the
    ///   bytes, `.cannotWrite`.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ModelFileError) {
        var start = 0
        while start < bytes.count {
            guard tensor < byteCounts.count else {
                throw .unwritable(
                    path: path,
                    what: "\(bytes.count - start) bytes more than the tensors have"
                )
            }
            let end = min(bytes.count, start + byteCounts[tensor] - written)
            // Safety: start and end are within the bytes.
            try unsafe file.write(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            written += end - start
            start = end
            if written == byteCounts[tensor] { try completeTensor() }
        }
    }

    /// Appends data, as the other method does.
    public mutating func write(_ bytes: [UInt8]) throws(ModelFileError) {
        // Safety: the pointer is used within the closure only.
        try unsafe bytes.span.bytes.withUnsafeBytes { (buffer) throws(ModelFileError) in
            try unsafe write(buffer)
        }
    }

    /// Puts the complete file in its place.
    ///
    /// - Throws: `ModelFileError.unwritable` if data is missing, `.cannotWrite`; the target is then
    ///   as it was.
    public consuming func finish() throws(ModelFileError) {
        guard tensor == byteCounts.count else {
            throw .unwritable(
                path: path,
                what: "'\(names[tensor])' has \(written) of its \(byteCounts[tensor]) bytes"
            )
        }
        try file.commit()
    }

    /// Pads a tensor that is complete, and turns to the next.
    private mutating func completeTensor() throws(ModelFileError) {
        let padding = Self.padding(after: written, alignment: alignment)
        try file.write([UInt8](repeating: 0, count: padding))
        tensor += 1
        written = 0
    }

    private static func padding(after byteCount: Int, alignment: Int) -> Int {
        (alignment - byteCount % alignment) % alignment
    }
}
