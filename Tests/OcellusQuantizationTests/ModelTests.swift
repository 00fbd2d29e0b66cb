// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat
import OcellusMemory
import OcellusQuantization
import Testing

/// Plans and whole files, on the model fixtures (scripts/references/models.py).
struct ModelTests {
    private static func fixture(_ name: String, _ file: String = "decoder.gguf") -> String {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return "/\(tests)/Fixtures/models/\(name)/\(file)"
    }

    /// A folder of its own for each test, removed with it.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "ocellus-quantization-\(UUID().uuidString)").path

        init() throws {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true
            )
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func file(_ name: String) -> String { "\(path)/\(name)" }
    }

    private static func tensor(_ name: String, of file: borrowing ModelFile) throws -> TensorInfo {
        let found = file.tensor(name)
        return try #require(found)
    }

    private static func bytes(_ tensor: TensorInfo, of file: borrowing ModelFile) -> [UInt8] {
        file.withBytes(of: tensor) { Array($0) }
    }

    /// Writes a decoder of one matrix.
    private static func write(_ path: String, columns: Int, _ values: [Float]) throws {
        var header = ModelHeader(architecture: "mamba")
        header.add("test.words", .strings(["a", "", "猫"]))
        let shape = [columns, values.count / columns]
        header.addTensor("blk.0.ssm_in.weight", type: TensorType(.f32), shape: shape)
        var writer = try ModelFileWriter(path: path, header: header)
        try writer.write(values.withUnsafeBytes { Array($0) })
        try writer.finish()
    }

    @Test(arguments: QuantizationPlan.types)
    func `matrices change, all else keeps its bytes`(type: WeightType) throws {
        let folder = try Folder()
        // Rows of 64 and 128 for most matrices, of 4 for one.
        for (name, input) in [("mamba", "mamba2-f16"), ("vision", "clip-f16")] {
            let isVision = name == "vision"
            let path = Self.fixture(input, isVision ? "vision.gguf" : "decoder.gguf")
            let file = try ModelFile(path: path)
            guard let plan = try? QuantizationPlan(for: file, type: type) else {
                #expect(isVision, "the tiny encoder has short rows only")
                continue
            }
            let out = folder.file("\(name).gguf")
            let errors = try ModelQuantizer(plan, threadCount: 2).write(file, to: out)
            let new = try ModelFile(path: out)
            let (names, originalNames) = (new.tensors.map(\.name), file.tensors.map(\.name))
            #expect(names == originalNames)
            for (index, step) in plan.steps.enumerated() {
                let tensor = try Self.tensor(step.tensor.name, of: new)
                #expect(tensor.type == step.type && tensor.shape == step.tensor.shape)
                #expect(tensor.byteCount == step.byteCount)
                if step.isCopy {
                    let (copy, original) = (
                        Self.bytes(tensor, of: new), Self.bytes(step.tensor, of: file)
                    )
                    #expect(copy == original)
                } else {
                    #expect(0.0001...0.12 ~= errors[index].relativeRMS, "\(tensor.name)")
                }
            }
            for entry in file.metadata where entry.key != "general.file_type" {
                let typeName = new.entry(entry.key)?.typeName
                #expect(typeName == entry.typeName, "\(entry.key)")
                if entry.type == .string, entry.elementCount != nil {
                    let (copy, original) = (try new.strings(entry.key), try file.strings(entry.key))
                    #expect(copy == original)
                }
            }
        }
    }

    @Test
    func `a packed file comes back with its alignment`() throws {
        let folder = try Folder()
        var header = ModelHeader(architecture: "mamba")
        header.add("general.alignment", .uint32(128))
        header.add("test.word", .string("cat"))
        // The second begins 128 bytes after the first, which has 4.
        header.addTensor("output_norm.weight", type: TensorType(.f32), shape: [1])
        header.addTensor("blk.0.ssm_out.weight", type: TensorType(.q8_0), shape: [32, 16])
        var writer = try ModelFileWriter(path: folder.file("a.gguf"), header: header)
        try writer.write((0..<4 + 16 * 34).map { UInt8($0 % 60) })
        try writer.finish()
        for (from, to, order) in [("a", "b", RowOrder.packed), ("b", "c", .plain)] {
            let file = try ModelFile(path: folder.file("\(from).gguf"))
            let plan = try QuantizationPlan(for: file, type: nil, order: order)
            _ = try ModelQuantizer(plan).write(file, to: folder.file("\(to).gguf"))
        }
        let packed = try ModelFile(path: folder.file("b.gguf"))
        let alignment = packed.alignment
        let type = try Self.tensor("blk.0.ssm_out.weight", of: packed).type.name
        #expect(alignment == 128 && type == "Q8_0x16")
        #expect(
            FileManager.default.contentsEqual(
                atPath: folder.file("a.gguf"),
                andPath: folder.file("c.gguf")
            )
        )
    }

    @Test
    func `each tensor that is not as asked says why`() throws {
        let file = try ModelFile(path: Self.fixture("mamba2-f16"))
        let plan = try QuantizationPlan(for: file, type: .q4_k, headType: .q6_k)
        func step(_ name: String) throws -> QuantizationPlan.Step {
            try #require(plan.steps.first { $0.tensor.name == name })
        }
        let rows = try step("blk.0.ssm_in.weight")
        #expect(rows.type == TensorType(.q5_0))
        #expect(rows.reason == "rows of 64 are no multiple of 256")
        #expect(try step("token_embd.weight").type == TensorType(.q8_0))
        #expect(try step("blk.0.ssm_conv1d.weight").reason == "a convolution")
        #expect(try step("blk.0.ssm_a").reason == "a recurrence parameter")
        #expect(try step("blk.0.attn_norm.weight").reason == "a norm")
        #expect(try step("blk.0.ssm_dt.bias").reason == "a vector")

        let odd = try ModelFile(path: Self.fixture("mamba-odd"))
        let steps = try QuantizationPlan(for: odd, type: .q8_0).steps
        let dt = try #require(steps.first { $0.tensor.name == "blk.0.ssm_dt.weight" })
        #expect(dt.type == TensorType(.f16))
        #expect(dt.reason == "rows of 3 are no multiple of 32")
    }

    @Test
    func `a model that was quantised is refused`() throws {
        let path = Self.fixture("mamba-q4_k")
        #expect(throws: QuantizationError.self) {
            try QuantizationPlan(for: ModelFile(path: path), type: .q8_0)
        }
    }

    @Test(arguments: [Float.nan, .infinity, 1e9])
    func `an impossible weight is named, and nothing is written`(value: Float) throws {
        let folder = try Folder()
        var values = [Float](repeating: 0.5, count: 3 * 256)
        values[2 * 256 + 7] = value
        try Self.write(folder.file("in.gguf"), columns: 256, values)
        let file = try ModelFile(path: folder.file("in.gguf"))
        let plan = try QuantizationPlan(for: file, type: .q4_k)
        do {
            _ = try ModelQuantizer(plan).write(file, to: folder.file("out.gguf"))
            Issue.record("nothing thrown")
        } catch let error as QuantizationError {
            #expect(error.description.contains("blk.0.ssm_in.weight"))
            #expect(error.description.contains("row 2, column 7"))
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(left == ["in.gguf"])
    }

    @Test(arguments: QuantizationPlan.types)
    func `the count of threads changes no byte`(type: WeightType) throws {
        let folder = try Folder()
        let values = (0..<40 * 512).map { Float(sin(Double($0 * $0 % 7919))) }
        try Self.write(folder.file("in.gguf"), columns: 512, values)
        let file = try ModelFile(path: folder.file("in.gguf"))
        let plan = try QuantizationPlan(for: file, type: type)
        var sums: [Double] = []
        for threadCount in [1, 3] {
            let out = folder.file("\(threadCount).gguf")
            let errors = try ModelQuantizer(plan, threadCount: threadCount).write(file, to: out)
            sums += errors.map(\.relativeRMS)
        }
        #expect(sums.first == sums.last)
        let files = try [1, 3].map {
            try Data(contentsOf: URL(filePath: folder.file("\($0).gguf")))
        }
        #expect(files[0] == files[1])
        let words = try ModelFile(path: folder.file("1.gguf")).strings("test.words")
        #expect(words == ["a", "", "猫"])
    }

    @Test(arguments: [WeightType.q8_0, .q4_0])
    func `packing keeps every block, and can be undone`(type: WeightType) throws {
        let folder = try Folder()
        // Two groups of rows, and eight rows behind them.
        let values = (0..<40 * 96).map { Float(sin(Double($0 * $0 % 7919))) }
        try Self.write(folder.file("in.gguf"), columns: 96, values)
        func write(
            _ input: String,
            _ output: String,
            _ type: WeightType?,
            _ order: RowOrder
        ) throws -> Data {
            let file = try ModelFile(path: folder.file(input))
            let plan = try QuantizationPlan(for: file, type: type, order: order)
            _ = try ModelQuantizer(plan).write(file, to: folder.file(output))
            return try Data(contentsOf: URL(filePath: folder.file(output)))
        }
        let plain = try write("in.gguf", "plain.gguf", type, .original)
        let packed = try write("in.gguf", "packed.gguf", type, .packed)
        #expect(packed.count == plain.count && packed != plain)
        #expect(try write("plain.gguf", "rearranged.gguf", nil, .packed) == packed)
        #expect(try write("packed.gguf", "unpacked.gguf", nil, .plain) == plain)

        let file = try ModelFile(path: folder.file("packed.gguf"))
        let tensor = try Self.tensor("blk.0.ssm_in.weight", of: file)
        #expect(tensor.type.weightType == type.interleaved)
        #expect(throws: QuantizationError.self) {
            try QuantizationPlan(for: ModelFile(path: folder.file("packed.gguf")), type: type)
        }
        #expect(throws: ModelFileError.self) {
            try file.matrix("blk.0.ssm_in.weight", rows: 40, columns: 96, cutAt: [16, 24])
        }
        #expect(throws: ModelFileError.self) {
            try file.matrix("blk.0.ssm_in.weight", rows: 1, columns: 96 * 40)
        }
    }

    @Test
    func `a matrix that the model cuts within a group is not packed`() throws {
        let file = try ModelFile(path: Self.fixture("mamba-q8_0"))
        let steps = try QuantizationPlan(for: file, type: nil, order: .packed).steps
        let x = try #require(steps.first { $0.tensor.name == "blk.0.ssm_x.weight" })
        #expect(x.isCopy && x.reason == "cut at row 4, no multiple of 16")
        let input = try #require(steps.first { $0.tensor.name == "blk.0.ssm_in.weight" })
        #expect(input.isRearranged && input.type == TensorType(.q8_0x16))
    }
}
