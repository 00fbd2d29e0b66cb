// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// Reads the header of a safetensors file.
///
/// A u64 says how long the header is; the header is JSON; the tensors follow without gaps.
///
/// - Source: huggingface/safetensors, README.md, "Format".
enum SafetensorsReader {
    /// The format's own limit.
    private static let maximumHeaderByteCount = 100_000_000

    /// The tensors of a file, in the order of their bytes.
    ///
    /// - Throws: `ConversionError.truncated`, `.damaged` and `.unsupported`.
    static func tensors(of file: MappedFile) throws(ConversionError) -> [SourceTensor] {
        let path = file.path
        guard file.bytes.count >= 8 else {
            throw .truncated(
                path: path,
                what: "the length of the header",
                offset: 0,
                needed: 8,
                available: file.bytes.count
            )
        }
        let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
        guard length <= maximumHeaderByteCount else {
            throw .damaged(
                path: path,
                what: "not a safetensors file: a header of \(length) bytes, more than "
                    + "\(maximumHeaderByteCount)"
            )
        }
        let dataOffset = 8 + Int(length)
        guard dataOffset <= file.bytes.count else {
            throw .truncated(
                path: path,
                what: "the header",
                offset: 8,
                needed: Int(length),
                available: file.bytes.count - 8
            )
        }
        let header = try JSONReader.read(
            UnsafeRawBufferPointer(rebasing: file.bytes[8..<dataOffset]),
            path: path,
            start: 8
        )
        guard let members = header.members else {
            throw .damaged(path: path, what: "the header is no object", offset: 8)
        }
        var tensors: [SourceTensor] = []
        for (name, entry) in members where name != "__metadata__" {
            tensors.append(try tensor(name, entry, of: file, dataOffset: dataOffset))
        }
        tensors.sort { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }
        try requirePacked(tensors, of: file, dataOffset: dataOffset)
        return tensors
    }

    private static func tensor(
        _ name: String,
        _ entry: JSONValue,
        of file: MappedFile,
        dataOffset: Int
    ) throws(ConversionError) -> SourceTensor {
        func fault(_ what: String) -> ConversionError {
            .damaged(path: file.path, what: "the tensor '\(name)' has \(what)", offset: 8)
        }
        guard let typeName = entry["dtype"]?.string else { throw fault("no type") }
        guard let type = ElementType(rawValue: typeName) else {
            throw .unsupported(
                path: file.path,
                what: "the tensor '\(name)' has the type \(typeName), which is not read"
            )
        }
        guard let shape = entry["shape"]?.ints, shape.allSatisfy({ $0 >= 0 }) else {
            throw fault("no shape")
        }
        guard let offsets = entry["data_offsets"]?.ints, offsets.count == 2, offsets[0] >= 0 else {
            throw fault("no place")
        }
        let byteCount = offsets[1].subtractingReportingOverflow(offsets[0])
        guard let needed = Self.byteCount(shape, type), !byteCount.overflow,
            byteCount.partialValue == needed
        else {
            throw fault(
                "\(byteCount.partialValue) bytes, which are not those of \(shape) in \(typeName),"
            )
        }
        guard offsets[1] <= file.bytes.count - dataOffset else {
            throw .truncated(
                path: file.path,
                what: "the data of the tensor '\(name)'",
                offset: dataOffset + min(offsets[0], file.bytes.count - dataOffset),
                needed: needed,
                available: max(0, file.bytes.count - dataOffset - offsets[0])
            )
        }
        return SourceTensor(
            name: name,
            type: type,
            shape: shape,
            file: file,
            offset: dataOffset + offsets[0]
        )
    }

    /// The size of a packed tensor, or nil if it does not fit an `Int`.
    static func byteCount(_ shape: [Int], _ type: ElementType) -> Int? {
        var count = type.byteCount
        for dimension in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }

    /// Refuses gaps and overlaps: the format forbids both.
    private static func requirePacked(
        _ tensors: [SourceTensor],
        of file: MappedFile,
        dataOffset: Int
    ) throws(ConversionError) {
        var end = dataOffset
        for tensor in tensors {
            guard tensor.offset == end else {
                throw .damaged(
                    path: file.path,
                    what: "the data of the tensor '\(tensor.name)' should begin at byte \(end), "
                        + "begins",
                    offset: tensor.offset
                )
            }
            end += tensor.byteCount
        }
        guard end == file.bytes.count else {
            throw .damaged(
                path: file.path,
                what: "\(file.bytes.count - end) bytes that belong to no tensor",
                offset: end
            )
        }
    }
}
