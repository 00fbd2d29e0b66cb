// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// Reads the tensors of a file that `torch.save` wrote: a zip archive with a pickle and storages.
///
/// Dictionaries inside of dictionaries become names with dots: `model.projector.projector.0.weight`.
enum PyTorchReader {
    /// How deep dictionaries may lie in each other.
    private static let maximumDepth = 8

    /// Whether a file begins as a zip archive does.
    static func isArchive(_ file: MappedFile) -> Bool {
        file.bytes.starts(with: [0x50, 0x4B, 0x03, 0x04])
    }

    /// The tensors of a file, in the order of the pickle.
    ///
    /// - Throws: `ConversionError.damaged`, `.truncated` and `.unsupported`.
    static func tensors(of file: MappedFile) throws(ConversionError) -> [SourceTensor] {
        guard isArchive(file) else {
            throw .unsupported(
                path: file.path,
                what:
                    "not a file of PyTorch 1.6 or newer, which are zip archives; load it there with "
                    + "torch.load(..., weights_only=True) and save it again with torch.save"
            )
        }
        let entries = try ZipDirectory(of: file).entries
        guard let pickle = entries.first(where: { $0.key.hasSuffix("/data.pkl") }) else {
            throw .unsupported(
                path: file.path,
                what: "the zip archive has no data.pkl, so torch.save did not write it"
            )
        }
        let root = pickle.key.dropLast("data.pkl".count)
        if let order = entries[root + "byteorder"], !file.bytes[order].elementsEqual("little".utf8)
        {
            throw .unsupported(path: file.path, what: "the numbers are not little-endian")
        }
        let value = try PickleMachine.read(
            UnsafeRawBufferPointer(rebasing: file.bytes[pickle.value]),
            path: file.path,
            start: pickle.value.lowerBound
        )
        guard case .dictionary = value else {
            throw .unsupported(path: file.path, what: "the file holds no dictionary of tensors")
        }
        var found: [(name: String, tensor: PickleTensor)] = []
        try collect(value, name: "", depth: 0, path: file.path, into: &found)
        var tensors: [SourceTensor] = []
        for (name, tensor) in found {
            let key = "\(root)data/\(tensor.key)"
            guard let storage = entries[key] else {
                throw .damaged(
                    path: file.path,
                    what: "'\(key)', the data of the tensor '\(name)', is missing in the archive",
                    offset: pickle.value.lowerBound
                )
            }
            tensors.append(try place(tensor, name: name, in: storage, of: file))
        }
        return tensors
    }

    /// Finds the tensors in a dictionary; what is neither tensor nor dictionary is passed over.
    private static func collect(
        _ value: PickleValue,
        name: String,
        depth: Int,
        path: String,
        into tensors: inout [(name: String, tensor: PickleTensor)]
    ) throws(ConversionError) {
        switch value {
        case .tensor(let tensor):
            tensors.append((name, tensor))
        case .dictionary(let dictionary):
            guard depth < maximumDepth else {
                throw .unsupported(
                    path: path,
                    what: "more than \(maximumDepth) levels at '\(name)'"
                )
            }
            for (key, value) in dictionary.members {
                guard case .text(let key) = key else { continue }
                try collect(
                    value,
                    name: name.isEmpty ? key : "\(name).\(key)",
                    depth: depth + 1,
                    path: path,
                    into: &tensors
                )
            }
        default:
            break
        }
    }

    private static func place(
        _ tensor: PickleTensor,
        name: String,
        in storage: Range<Int>,
        of file: MappedFile
    ) throws(ConversionError) -> SourceTensor {
        guard let type = tensor.type.type else {
            throw .unsupported(
                path: file.path,
                what: "the tensor '\(name)' has the type \(tensor.type.name), which is not read"
            )
        }
        let neededBytes = SafetensorsReader.byteCount(tensor.shape, type)
        // Elements that share their places are no weights, and may be more than the file has.
        guard let extent = tensor.extent, (neededBytes ?? 0) / type.byteCount <= extent else {
            throw .unsupported(
                path: file.path,
                what:
                    "the tensor '\(name)' of shape \(tensor.shape) has strides \(tensor.strides); "
                    + "save it with .contiguous()"
            )
        }
        guard neededBytes != nil, tensor.offset >= 0,
            tensor.offset <= storage.count / type.byteCount,
            extent <= storage.count / type.byteCount - tensor.offset
        else {
            throw .truncated(
                path: file.path,
                what:
                    "the data of the tensor '\(name)' of shape \(tensor.shape) in \(type.rawValue)",
                offset: storage.lowerBound,
                needed: neededBytes ?? .max,
                available: storage.count
            )
        }
        return SourceTensor(
            name: name,
            type: type,
            shape: tensor.shape,
            file: file,
            offset: storage.lowerBound + tensor.offset * type.byteCount,
            strides: tensor.isPacked ? nil : tensor.strides
        )
    }
}
