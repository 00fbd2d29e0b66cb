// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import OcellusFormat
import Testing

/// Wrong, truncated and mixed-up inputs: each is refused with a message that says where and what, and
/// nothing is left behind.
struct DamageTests {
    @Test(arguments: [("mamba-hf", "model.safetensors"), ("mamba", "pytorch_model.bin")])
    func `no truncated checkpoint is taken`(fixture: String, file: String) throws {
        let folder = try PublishedFolder(fixture)
        let data = try folder.data(file)
        // All lengths of the header, then some.
        let lengths = Array(1..<200) + stride(from: 200, to: data.count, by: 997) + [data.count - 1]
        for length in lengths {
            try folder.write(data.prefix(length), to: file)
            #expect(throws: ConversionError.self, "\(length) bytes") {
                _ = try Checkpoint(path: folder.path)
            }
        }
    }

    @Test(arguments: [("mamba-hf", "model.safetensors"), ("mamba", "pytorch_model.bin")])
    func `a changed byte never traps`(fixture: String, file: String) throws {
        let folder = try PublishedFolder(fixture)
        let data = try folder.data(file)
        let ends = Array(0..<2500) + Array(data.count - 2500..<data.count)
        for (index, position) in ends.enumerated() where index % 3 == 0 {
            var changed = data
            changed[position] ^= UInt8(1 << (index / 3 % 8))
            try folder.write(changed, to: file)
            _ = try? Checkpoint(path: folder.path)
        }
    }

    @Test
    func `a pickle that would run a program is refused with the name of it`() throws {
        let folder = try PublishedFolder("mamba")
        // Names of the same length, so that the archive stays sound.
        try folder.replace(
            "collections\nOrderedDict",
            by: "posix.posix\nsystem_call",
            in: "pytorch_model.bin"
        )
        let message = try refusal(of: folder)
        #expect(message.contains("'posix.posix.system_call'"))
        #expect(message.contains("pytorch_model.bin"))
    }

    @Test
    func `a file from before zip archives is told how to become one`() throws {
        let folder = try PublishedFolder("mamba")
        try folder.write(Data([0x80, 2, 0x8A, 10]) + Data(count: 100), to: "pytorch_model.bin")
        #expect(try refusal(of: folder).contains("torch.save"))
    }

    @Test
    func `a wrong size names tensor, expected and found shape`() throws {
        let folder = try PublishedFolder("mamba-hf")
        try folder.replace("\"state_size\": 8", by: "\"state_size\": 4", in: "config.json")
        let message = try refusal(of: folder)
        #expect(
            message.contains(
                "model.safetensors: the tensor 'backbone.layers.0.mixer.x_proj.weight'"
            )
        )
        #expect(message.contains("[10, 64], has [18, 64]"))
    }

    @Test
    func `more layers than a checkpoint has end at the first that is missing`() throws {
        let folder = try PublishedFolder("mamba-hf")
        try folder.replaceOnce(
            "\"num_hidden_layers\": 2",
            by: "\"num_hidden_layers\": 16777216",
            in: "config.json"
        )
        #expect(try refusal(of: folder).contains("'backbone.layers.2.norm.weight'"))
    }

    @Test
    func `sizes that are no sizes name the key`() throws {
        for (name, text, other, expected) in [
            (
                "mamba2", "\"headdim\": 16", "\"headdim\": 128",
                "'ssm_cfg.headdim' should be a divisor of 64, is 128"
            ),
            (
                "mamba-hf", "\"expand\": 2", "\"expand\": 16777216",
                "'expand' should be a number that times 32 is from 1 to 16777216, is 16777216"
            ),
            (
                "mamba2-hf", "\"Infinity\"", "\"0.1\"",
                "'time_step_limit' should be [0, Infinity], is a list of 2"
            ),
        ] {
            try expectRefusal(expected, of: name, replacing: text, by: other)
        }
    }

    @Test
    func `a vocabulary without merges is told`() throws {
        let folder = try PublishedFolder("mamba-hf")
        let other = "\"merges\": [], \"unused\""
        try folder.replaceOnce("\"merges\"", by: other, in: "tokenizer.json")
        #expect(try refusal(of: folder).contains("'model.merges' should be a list that is not"))
    }

    @Test
    func `what stands for a file is told as such`() throws {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n"
        for (file, text, expected) in [
            ("model.safetensors", pointer, "model.safetensors: a pointer of git-lfs"),
            ("tokenizer.json", pointer, "tokenizer.json: a pointer of git-lfs"),
            ("model.safetensors", "\n<!doctype html><html>", "a page of a web site"),
            ("config.json", "", "config.json: the file is empty"),
            ("config.json", "\n", "config.json: not valid JSON: there is no text"),
            (
                "config.json", "[]",
                "config.json: should hold an object of keys and values, holds a list of 0"
            ),
        ] {
            let folder = try PublishedFolder("mamba-hf")
            try folder.write(Data(text.utf8), to: file)
            let message = try refusal(of: folder)
            #expect(message.contains(expected), "\(message)")
        }
    }

    @Test
    func `a mark before a text is passed over, another encoding told`() throws {
        let folder = try PublishedFolder("mamba-hf")
        let text = try folder.data("config.json")
        try folder.write(Data([0xEF, 0xBB, 0xBF]) + text, to: "config.json")
        #expect(try PublishedModel(path: folder.path).settings.size("hidden_size") == 32)
        for mark in [[0xFE, 0xFF], [0xFF, 0xFE]] as [[UInt8]] {
            try folder.write(Data(mark) + text, to: "config.json")
            let message = try refusal(of: folder)
            #expect(message.hasSuffix("/config.json: the text is UTF-16, not UTF-8"), "\(message)")
        }
    }

    @Test
    func `a header whose length looks like a tag is no web page`() throws {
        let folder = try PublishedFolder("mamba-hf")
        let data = try folder.data("model.safetensors")
        let length = data.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
        let padding = Data(repeating: UInt8(ascii: " "), count: 0x3C20 - length)
        let begin = Data([0x20, 0x3C, 0, 0, 0, 0, 0, 0])
        let header = data[8..<8 + length] + padding
        try folder.write(begin + header + data[(8 + length)...], to: "model.safetensors")
        #expect(try Checkpoint(path: folder.path).tensors.count == 22)
    }

    @Test
    func `a tensor without elements is told`() throws {
        let folder = try PublishedFolder("dinov2-timm")
        try folder.rewriteHeader(appending: Data()) { header in
            header["empty"] = ["dtype": "F32", "shape": [24, 3, 7, 0], "data_offsets": [0, 0]]
        }
        let message = try refusal(of: folder)
        #expect(message.contains("the tensor 'empty' of shape [24, 3, 7, 0] has no elements"))
    }

    @Test
    func `a tensor too few and one too many`() throws {
        let few = try PublishedFolder("mamba-hf")
        try few.replace(
            "\"num_hidden_layers\": 2",
            by: "\"num_hidden_layers\": 3",
            in: "config.json"
        )
        let missing = try refusal(of: few)
        #expect(missing.contains("'backbone.layers.2.norm.weight' of shape [32] is missing"))
        let many = try PublishedFolder("mamba-hf")
        try many.replace(
            "\"num_hidden_layers\": 2",
            by: "\"num_hidden_layers\": 1",
            in: "config.json"
        )
        #expect(
            try refusal(of: many).contains(
                "'backbone.layers.1.mixer.A_log' of shape [64, 8] has no"
            )
        )
    }

    @Test
    func `whole numbers are no weights`() throws {
        let folder = try PublishedFolder("mamba-hf")
        try folder.replace("\"F32\"", by: "\"I32\"", in: "model.safetensors")
        #expect(try refusal(of: folder).contains("F16 or BF16, has I32"))
    }

    @Test
    func `a weight that is not finite is found, and nothing is left behind`() throws {
        let folder = try PublishedFolder("mamba-hf")
        var data = try folder.data("model.safetensors")
        data.replaceSubrange(data.count - 4..<data.count, with: [0, 0, 0xC0, 0x7F])
        try folder.write(data, to: "model.safetensors")
        #expect(try refusal(of: folder).contains("nan at element"))
    }

    @Test
    func `offsets must be those of the shape and leave no gap`() throws {
        let folder = try PublishedFolder("mamba-hf")
        try folder.rewriteHeader { $0["backbone.norm_f.weight"]?["shape"] = [1 << 40, 1 << 40] }
        #expect(
            try refusal(of: folder).contains(
                "'backbone.norm_f.weight' has 128 bytes, which are not"
            )
        )
        let gap = try PublishedFolder("mamba-hf")
        try gap.rewriteHeader(appending: Data(count: 8)) { _ in }
        #expect(try refusal(of: gap).contains("8 bytes that belong to no tensor"))
    }

    @Test
    func `a shard that is missing, and one with another's tensors`() throws {
        let folder = try PublishedFolder("mamba-sharded")
        let second = "model-00002-of-00003.safetensors"
        let data = try folder.data(second)
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(second)")
        #expect(try refusal(of: folder).contains("\(second): cannot be opened"))
        try folder.write(try folder.data("model-00001-of-00003.safetensors"), to: second)
        #expect(try refusal(of: folder).contains("is also in"))
        try folder.write(data, to: second)
        let index = try folder.data("model.safetensors.index.json")
        try folder.replaceOnce(
            "0.mixer.D\": \"model-00001",
            by: "0.mixer.D\": \"model-00002",
            in: "model.safetensors.index.json"
        )
        let misplaced = try refusal(of: folder)
        #expect(
            misplaced.hasSuffix(
                "'backbone.layers.0.mixer.D' should be in \(folder.path)/\(second), and is not"
            ),
            "\(misplaced)"
        )
        try folder.write(index, to: "model.safetensors.index.json")
        try folder.replace("model-00003", by: "../../00003", in: "model.safetensors.index.json")
        #expect(try refusal(of: folder).contains("the name of a file in the same folder"))
        try folder.write(Data(#"{"weight_map": []}"#.utf8), to: "model.safetensors.index.json")
        #expect(
            try refusal(of: folder).contains("'weight_map' should be an object, is a list of 0")
        )
    }

    @Test
    func `shards of PyTorch are found by their index`() throws {
        let folder = try PublishedFolder("mamba")
        let names = try Checkpoint(path: folder.path).tensors.keys
        let shard = "pytorch_model-00001-of-00001.bin"
        try FileManager.default.moveItem(
            atPath: "\(folder.path)/pytorch_model.bin",
            toPath: "\(folder.path)/\(shard)"
        )
        let map = Dictionary(uniqueKeysWithValues: names.map { ($0, shard) })
        try folder.write(
            try JSONSerialization.data(withJSONObject: ["weight_map": map]),
            to: "pytorch_model.bin.index.json"
        )
        #expect(try Checkpoint(path: folder.path).tensors.keys == names)
    }

    @Test
    func `what a configuration may not say`() throws {
        for (text, other, expected) in [
            ("\"hidden_size\": 32", "\"hidden_size\": 0", "'hidden_size' should be a whole number"),
            (
                "\"hidden_size\": 32", "\"hidden_size\": 1e300",
                "'hidden_size' should be a whole number"
            ),
            ("\"hidden_size\": 32", "\"hidden_sise\": 32", "the key 'hidden_size' is missing"),
            ("\"mamba\"", "\"llama\"", "not a model that is converted: llama"),
            ("\"use_bias\": false", "\"use_bias\": true", "'use_bias' should be false, is true"),
            ("{\n", "{\n\"a\": 1, \"a\": 2,", "the key 'a' is there twice"),
            ("\"state_size\": 8", "\"state_size\": 8]", "not valid JSON"),
        ] {
            try expectRefusal(expected, of: "mamba-hf", replacing: text, by: other)
        }
    }

    @Test
    func `a tokenizer of another model`() throws {
        let folder = try PublishedFolder("mamba-hf")
        try folder.replaceOnce("\"ing\": ", by: "\"ingots\": 999, \"ing\": ", in: "tokenizer.json")
        #expect(
            try refusal(of: folder).contains("'model.vocab.ingots' should be an id from 0 to 287 (")
        )
        try FileManager.default.removeItem(atPath: "\(folder.path)/tokenizer.json")
        #expect(try refusal(of: folder).contains("--tokenizer"))
    }
}
