// SPDX-License-Identifier: Apache-2.0

/// A GGUF model file, mapped read-only, every field of its header checked.
///
/// Opening reads the header; values of metadata are read when they are asked for, and tensors stay
/// where they lie in the mapping.
///
///     let file = try ModelFile(path: "decoder.gguf")
///     let layerCount = try file.int("mamba.block_count")
///     let embedding = try file.matrix("token_embd.weight")
///
/// The views that `matrix` and `vector` give are valid as long as the file that gave them.
///
/// - Source: ggml, docs/gguf.md; version 3, and version 2, which has the same layout.
@safe
public struct ModelFile: ~Copyable {
    let file: MappedFile
    let header: ParsedHeader

    /// Maps and checks a file.
    ///
    /// - Throws: `ModelFileError.cannotOpen`, `.empty`, `.standIn`, `.notAModelFile`,
    ///   `.unsupportedVersion`, `.truncated`, `.invalid` and `.duplicate`.
    public init(path: String) throws(ModelFileError) {
        let file = try MappedFile(path: path)
        try StandIn.refuse(file)
        let header = try ParsedHeader(from: file.cursor)
        self.file = file
        self.header = header
    }

    /// The path that the file was opened with.
    public var path: String { file.path }

    /// The size of the file.
    public var byteCount: Int { file.byteCount }

    /// The version of GGUF: 2 or 3.
    public var version: Int { header.version }

    /// The alignment of tensors in bytes.
    public var alignment: Int { header.alignment }

    /// Where the data of the tensors begins in the file.
    public var dataOffset: Int { header.dataOffset }

    /// All keys, in the order of the file.
    public var metadata: [MetadataEntry] { header.metadata }

    /// All tensors, in the order of the file, which is the order of their data.
    public var tensors: [TensorInfo] { header.tensors }

    /// The value of "general.architecture"; empty if the file does not say.
    public var architecture: String { (try? string("general.architecture")) ?? "" }

    /// Asks the system to read the whole file ahead, in the background.
    ///
    /// Worth it before a model runs; not for looking at a header.
    public func prefetch() {
        file.prefetch()
    }
}
