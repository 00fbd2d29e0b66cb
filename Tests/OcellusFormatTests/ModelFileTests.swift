// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusMemory
import Testing

@Suite("Reading a file of the gguf package")
struct ModelFileTests {
    @Test("Values of every type")
    func values() throws {
        let file = try ModelFile(path: SmallFile.path)
        #expect(file.version == 3)
        #expect(file.architecture == "mamba")
        #expect(try file.int("test.u8") == 255)
        #expect(try file.int("test.i8") == -128)
        #expect(try file.int("test.u16") == 65535)
        #expect(try file.int("test.i16") == -32768)
        #expect(try file.int("test.u32") == 4_294_967_295)
        #expect(try file.int("test.i32") == -2_147_483_648)
        #expect(try file.int("test.i64") == .min)
        #expect(try file.float("test.f32") == 0.15625)
        #expect(try file.float("test.f64") == -.infinity)
        #expect(try file.bool("test.yes"))
        #expect(try !file.bool("test.no"))
        #expect(try file.string("test.text") == "Straße, 猫, 🚲")
        #expect(try file.strings("test.strings") == ["Ġa", "", "b c"])
        #expect(try file.ints("test.i32s") == [1, -2, 3])
        #expect(try file.ints("test.u32s") == [640, 480])
        #expect(try file.floats("test.f32s") == [0.5, -0.25])
        #expect(try file.bools("test.bools") == [true, false, true])
    }

    @Test("Defaults for keys that are not there")
    func defaults() throws {
        let file = try ModelFile(path: SmallFile.path)
        #expect(try file.int("absent", default: 7) == 7)
        #expect(try file.float("absent", default: 0.5) == 0.5)
        #expect(try file.bool("absent", default: true))
        #expect(try file.string("absent", default: "x") == "x")
        #expect(try file.int("test.u8", default: 7) == 255)
        let isAbsent = !file.contains("absent")
        #expect(isAbsent)
    }

    @Test("Types of all keys, in the order of the file")
    func keys() throws {
        let file = try ModelFile(path: SmallFile.path)
        let expected = try SmallFile.load()
        #expect(file.metadata.map(\.key) == ["general.architecture"] + SmallFile.values.map(\.key))
        for entry in file.metadata {
            let types = try #require(expected.metadata[entry.key]).types
            #expect(types.count == (entry.elementCount == nil ? 1 : 2))
            let name = entry.type.name
            let longName = [("u", "UINT"), ("i", "INT"), ("f", "FLOAT")]
                .first { name.hasPrefix($0.0) }.map { $0.1 + name.dropFirst() }
            #expect(types.last == (longName ?? name.uppercased()))
        }
    }

    @Test("Tensors: names, types, shapes, places and bytes")
    func tensors() throws {
        let file = try ModelFile(path: SmallFile.path)
        let expected = try SmallFile.load().tensors
        #expect(file.tensors.map(\.name) == expected.map(\.name))
        for (tensor, expected) in zip(file.tensors, expected) {
            #expect(tensor.type.name == expected.type)
            #expect(tensor.shape == expected.shape)
            #expect(tensor.offset == expected.offset)
            let hex = file.withBytes(of: tensor) { bytes in
                bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
            #expect(hex == expected.bytes, "\(tensor.name)")
        }
    }

    @Test("Matrices and vectors point at the tensors' bytes")
    func views() throws {
        let file = try ModelFile(path: SmallFile.path)
        let quantised = try file.matrix("q8.weight", rows: 3, columns: 64)
        #expect(quantised.type == .q8_0 && quantised.byteCount == 204)
        let kernel = try file.matrix("conv.weight", rows: 3, columns: 4)
        #expect(kernel.rows == 3 && kernel.columns == 4)
        #expect(try file.matrix("conv.weight", rows: 6, columns: 2).rows == 6)
        #expect(try file.matrix("conv.weight").columns == 2)
        #expect(try file.shape(of: "conv.weight") == [2, 2, 1, 3])
        let norm = try file.vector("norm.weight", count: 5)
        let info = file.tensor("norm.weight")
        let tensor = try #require(info)
        let first = file.withBytes(of: tensor) { $0.loadUnaligned(as: Float.self) }
        #expect(norm[0] == first)
        let has = (file.hasTensor("bias"), file.hasTensor("absent"))
        #expect(has == (true, false))
    }

    @Test("What is missing or unusable is refused with the reason")
    func refusals() throws {
        let path = SmallFile.path
        let file = try ModelFile(path: path)
        func message<Value>(_ body: () throws(ModelFileError) -> Value) -> String {
            do throws(ModelFileError) {
                _ = try body()
                return "nothing thrown"
            } catch {
                return String(error.description.dropFirst(path.count + 2))
            }
        }
        #expect(
            message { () throws(ModelFileError) in try file.int("absent") }
                == "the key 'absent' is missing"
        )
        #expect(
            message { () throws(ModelFileError) in try file.int("test.text") }
                .hasPrefix("'test.text' should be an integer, is string at byte ")
        )
        #expect(
            message { () throws(ModelFileError) in try file.int("test.u64") }
                .hasPrefix("'test.u64' should be an integer of at most 64 bits, is u64 at byte ")
        )
        #expect(
            message { () throws(ModelFileError) in try file.string("test.strings") }
                .hasPrefix("'test.strings' should be a string, is array of string at byte ")
        )
        #expect(
            message { () throws(ModelFileError) in try file.matrix("absent") }
                == "the tensor 'absent' is missing"
        )
        #expect(
            message { () throws(ModelFileError) in
                try file.matrix("half.weight", rows: 7, columns: 3)
            } == "the tensor 'half.weight' should be a matrix of 7 rows, 3 columns, is (7, 3)"
        )
        #expect(
            message { () throws(ModelFileError) in try file.matrix("q1.weight") }
                == "the tensor 'q1.weight' has type TQ1_0; F32, F16, BF16, Q8_0, Q4_0, "
                + "Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, Q8_0x16, Q4_0x16 and Q8_row can be computed with"
        )
        #expect(
            message { () throws(ModelFileError) in try file.vector("half.weight", count: 21) }
                .hasPrefix("the tensor 'half.weight' has type F16 where F32 is needed")
        )
        #expect(
            message { () throws(ModelFileError) in try file.vector("norm.weight", count: 6) }
                == "the tensor 'norm.weight' should be 6 elements, is (5)"
        )
    }

    @Test("Files that are no files")
    func unreadableFiles() throws {
        let folder = try TemporaryFolder()
        for path in ["\(folder.path)/absent", folder.path] {
            #expect(throws: ModelFileError.self) { try openAndClose(path) }
        }
        let empty = try folder.write([])
        #expect(throws: ModelFileError.self) { try openAndClose(empty) }
        let text = try folder.write(Array("# A text, long enough for a header".utf8))
        #expect(throws: ModelFileError.self) { try openAndClose(text) }
    }

    @Test("The checksum depends on every part of the file")
    func checksum() throws {
        let folder = try TemporaryFolder()
        let original = try SmallFile.bytes()
        let dataStart = try ModelFile(path: SmallFile.path).dataOffset
        let checksum = try ModelFile(path: SmallFile.path).checksum
        for place in stride(from: dataStart, to: original.count, by: 7) {
            var changed = original
            changed[place] ^= 0x10
            #expect(try ModelFile(path: folder.write(changed)).checksum != checksum)
        }
        #expect(try ModelFile(path: folder.write(original)).checksum == checksum)
        #expect(try ModelFile(path: folder.write(original + [0])).checksum != checksum)
    }

    private func openAndClose(_ path: String) throws {
        _ = try ModelFile(path: path)
    }
}
