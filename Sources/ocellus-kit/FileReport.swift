// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat

/// What `ocellus-kit inspect` tells of a model file, in the form of its JSON.
struct FileReport: Encodable {
    /// One key.
    struct Key: Encodable {
        var key: String
        var type: String
        var value: MetadataContent
    }

    /// One tensor; `shape` in GGUF's order, the first dimension varies fastest.
    struct Tensor: Encodable {
        var name: String
        var type: String
        var shape: [Int]
        var offset: Int
        var bytes: Int
        /// Whether the kernels compute with the type.
        var computable: Bool
        /// Of the bytes as they are stored; nil unless asked for.
        var sha256: String?
    }

    /// All tensors of one type.
    struct TypeTotal: Encodable {
        var type: String
        var tensors: Int
        var elements: Int
        var bytes: Int
        var computable: Bool
    }

    var file: String
    var version: Int
    var bytes: Int
    var alignment: Int
    var dataOffset: Int
    /// In hexadecimal: JSON numbers are not exact to 64 bits everywhere.
    var checksum: String
    /// Of the whole file; nil unless asked for.
    var sha256: String?
    var architecture: String
    var name: String?
    var license: String?
    var promptTemplate: String?
    var metadata: [Key]
    var tensors: [Tensor]
    var totals: [TypeTotal]

    /// Reads everything but the weights; those only for the checksum of the model.
    init(_ file: borrowing ModelFile) {
        self.file = file.path
        version = file.version
        bytes = file.byteCount
        alignment = file.alignment
        dataOffset = file.dataOffset
        let digits = String(file.checksum, radix: 16)
        checksum = String(repeating: "0", count: 16 - digits.count) + digits
        architecture = file.architecture
        name = try? file.string("general.name")
        license = try? file.string("general.license")
        promptTemplate = try? file.string("ocellus.prompt.question")
        metadata = []
        for entry in file.metadata {
            let content = MetadataContent(entry, in: file)
            metadata.append(Key(key: entry.key, type: entry.typeName, value: content))
        }
        tensors = file.tensors.map { tensor in
            Tensor(
                name: tensor.name,
                type: tensor.type.name,
                shape: tensor.shape,
                offset: tensor.offset,
                bytes: tensor.byteCount,
                computable: tensor.type.weightType != nil
            )
        }
        totals = Dictionary(grouping: file.tensors, by: \.type.name)
            .map { name, tensors in
                TypeTotal(
                    type: name,
                    tensors: tensors.count,
                    elements: tensors.map(\.elementCount).reduce(0, +),
                    bytes: tensors.map(\.byteCount).reduce(0, +),
                    computable: tensors.allSatisfy { $0.type.weightType != nil }
                )
            }
            .sorted { ($1.bytes, $0.type) < ($0.bytes, $1.type) }
    }
    /// Adds the SHA-256 of the file and of each tensor.
    ///
    /// Some bytes are in memory at a time.
    mutating func addDigests(of file: borrowing ModelFile) throws {
        var digest = SHA256()
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file.path))
        while let bytes = try handle.read(upToCount: 1 << 20), !bytes.isEmpty {
            bytes.withUnsafeBytes { digest.add($0) }
        }
        sha256 = digest.finish()
        for (index, tensor) in file.tensors.enumerated() {
            var digest = SHA256()
            file.withBytes(of: tensor) { digest.add($0) }
            file.release(tensor)
            tensors[index].sha256 = digest.finish()
        }
    }
}
