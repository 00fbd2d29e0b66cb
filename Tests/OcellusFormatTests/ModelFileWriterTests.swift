// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusMemory
import Testing

@Suite("Writing model files")
struct ModelFileWriterTests {
    private func smallHeader() throws -> ModelHeader {
        let file = try ModelFile(path: SmallFile.path)
        var header = ModelHeader(architecture: "mamba")
        for (key, value) in SmallFile.values { header.add(key, value) }
        for tensor in file.tensors {
            header.addTensor(tensor.name, type: tensor.type, shape: tensor.shape)
        }
        return header
    }

    private func smallData() throws -> [UInt8] {
        let file = try ModelFile(path: SmallFile.path)
        return file.tensors.flatMap { tensor in file.withBytes(of: tensor) { Array($0) } }
    }

    @Test("The same content gives the same bytes as the gguf package", arguments: [1, 7, 33, 5000])
    func sameBytes(portion: Int) throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/small.gguf"
        var writer = try ModelFileWriter(path: path, header: smallHeader())
        var data = try smallData()[...]
        while !data.isEmpty {
            try writer.write(Array(data.prefix(portion)))
            data = data.dropFirst(portion)
        }
        try writer.finish()
        #expect(try ModelFile(path: path).byteCount == SmallFile.bytes().count)
        #expect(try folder.read("small.gguf") == SmallFile.bytes())
        #expect(try folder.names() == ["small.gguf"])
    }

    @Test("An older file stays until the new one is complete")
    func atomicity() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1, 2, 3])
        let data = try smallData()
        var abandoned = try ModelFileWriter(path: path, header: smallHeader())
        try abandoned.write(data)
        #expect(try folder.names().count == 2)
        _ = consume abandoned
        #expect(try folder.names() == ["file.gguf"])

        let header = try smallHeader()
        #expect(throws: ModelFileError.self) {
            var short = try ModelFileWriter(path: path, header: header)
            try short.write(Array(data.dropLast()))
            try short.finish()
        }
        #expect(throws: ModelFileError.self) {
            var long = try ModelFileWriter(path: path, header: header)
            try long.write(data + [0])
        }
        #expect(throws: ModelFileError.self) {
            _ = try ModelFileWriter(path: "\(folder.path)/absent/file.gguf", header: header)
        }
        #expect(try folder.read("file.gguf") == [1, 2, 3])
        #expect(try folder.names() == ["file.gguf"])
    }

    @Test("A header that makes no valid file is refused")
    func invalidHeaders() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/file.gguf"
        func refusal(_ change: (inout ModelHeader) -> Void) -> String? {
            var header = ModelHeader(architecture: "mamba")
            change(&header)
            do throws(ModelFileError) {
                _ = try ModelFileWriter(path: path, header: header)
                return nil
            } catch {
                return String(error.description.dropFirst(path.count + 2))
            }
        }
        let f32 = TensorType(.f32)
        #expect(refusal { _ in } == nil)
        #expect(
            refusal { $0.add("general.architecture", .bool(true)) }
                == "the key 'general.architecture' is there twice"
        )
        #expect(
            refusal { $0.add("general.alignment", .uint32(48)) }
                == "'general.alignment' should be a power of two from 8, is 48"
        )
        #expect(
            refusal {
                $0.addTensor("t", type: f32, shape: [1])
                $0.addTensor("t", type: f32, shape: [1])
            } == "the tensor 't' is there twice"
        )
        let name = String(repeating: "n", count: 64)
        #expect(
            refusal { $0.addTensor(name, type: f32, shape: [1]) }
                == "the name '\(name)' has more than 63 bytes"
        )
        #expect(
            refusal { $0.addTensor("t", type: TensorType(.q8_0), shape: [33, 2]) }
                == "'t' cannot be (33, 2) in Q8_0"
        )
        #expect(
            refusal { $0.addTensor("t", type: f32, shape: [1, 2, 3, 4, 5]) }
                == "'t' cannot be (1, 2, 3, 4, 5) in F32"
        )
    }
}
