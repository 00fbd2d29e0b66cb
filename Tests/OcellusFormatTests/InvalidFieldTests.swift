// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import Testing

@Suite("Each rule for a field of the header")
struct InvalidFieldTests {
    /// The message for a file, without its path; nil if it is valid.
    private func refusal(
        _ change: (inout RawFile) -> Void
    ) throws -> String? {
        let folder = try TemporaryFolder()
        var file = RawFile(data: [UInt8](repeating: 0, count: 64))
        change(&file)
        let path = try folder.write(file.bytes)
        do throws(ModelFileError) {
            _ = try ModelFile(path: path)
            return nil
        } catch {
            return String(error.description.dropFirst(path.count + 2))
        }
    }

    @Test("The smallest files")
    func validFiles() throws {
        #expect(try refusal { _ in } == nil)
        #expect(try refusal { $0.version = 2 } == nil)
        #expect(try refusal { $0.addTensor("t", shape: [16]) } == nil)
        #expect(try refusal { $0.addTensor("scalar", shape: []) } == nil)
        #expect(try refusal { $0.addTensor(String(repeating: "n", count: 63), shape: [1]) } == nil)
    }

    @Test("Magic number and version")
    func magicAndVersion() throws {
        #expect(
            try refusal { $0.magic = Array("GGML".utf8) }
                == "not a GGUF file; it does not begin with the letters GGUF"
        )
        #expect(
            try refusal { $0.version = 1 }
                == "GGUF version 1 at byte 4; convert the file to version 3"
        )
        #expect(
            try refusal { $0.version = 4 }
                == "GGUF version 4 at byte 4; versions 2 and 3 can be read"
        )
        #expect(try refusal { $0.version = 0 }?.hasPrefix("GGUF version 0") == true)
        #expect(
            try refusal { $0.version = UInt32(3).byteSwapped }
                == "the file is big-endian (version field at byte 4); convert it to little-endian"
        )
    }

    @Test("Counts and lengths beyond the end of the file")
    func counts() throws {
        for count: UInt64 in [100, 1 << 32, 1 << 61, .max] {
            #expect(
                try refusal { $0.tensorCount = count }?.hasPrefix("the count of tensors at byte 8")
                    == true
            )
            #expect(try refusal { $0.keyCount = count }?.contains("at byte 16 needs") == true)
            #expect(
                try refusal {
                    $0.addKey([0x6B], type: 9, value: RawFile.integer(UInt32(6)))
                    $0.keys[0] += RawFile.integer(count)
                }?.hasPrefix("the elements of 'k' at byte 41 needs") == true
            )
            #expect(
                try refusal { $0.addKey([0x6B], type: 8, value: RawFile.integer(count)) }?
                    .hasPrefix("a string of 'k' at byte 45 needs \(count) bytes") == true
            )
        }
    }

    @Test("Keys and their values")
    func keys() throws {
        let one = RawFile.integer(UInt32(1))
        #expect(
            try refusal {
                $0.addKey([0x6B], type: 4, value: one)
                $0.addKey([0x6B], type: 4, value: one)
            } == "'k' is there a second time at byte 41"
        )
        #expect(
            try refusal { $0.addKey([0xFF, 0xFE], type: 4, value: one) }
                == "a metadata key is not UTF-8 at byte 32"
        )
        #expect(
            try refusal { $0.addKey([0x6B], type: 13, value: one) }
                == "unknown metadata type 13 at byte 33"
        )
        #expect(
            try refusal { $0.addKey([0x6B], type: 9, value: RawFile.integer(UInt32(9))) }
                == "'k' is an array of arrays at byte 37"
        )
    }

    @Test("Alignments that are not a power of two from 8")
    func alignments() throws {
        let key = Array("general.alignment".utf8)
        for value: UInt32 in [0, 1, 4, 12, 33, .max] {
            #expect(
                try refusal { $0.addKey(key, type: 4, value: RawFile.integer(value)) }
                    == "'general.alignment' should be a power of two from 8, is \(value) at byte 53"
            )
        }
        #expect(try refusal { $0.addKey(key, type: 10, value: RawFile.integer(UInt64(32))) } != nil)
        #expect(try refusal { $0.addKey(key, type: 4, value: RawFile.integer(UInt32(8))) } == nil)
        #expect(
            try refusal {
                $0.addKey(key, type: 4, value: RawFile.integer(UInt32(1) << 31))
                $0.addTensor("t", shape: [1])
            }?.hasPrefix("the data of 't' at byte 2147483648 needs 4 bytes, 0 are left") == true
        )
    }

    @Test("Names, dimensions, types and offsets of tensors")
    func tensors() throws {
        #expect(
            try refusal { $0.addTensor(String(repeating: "n", count: 64), shape: [1]) }
                == "a tensor's name of 64 bytes, more than 63 at byte 24"
        )
        #expect(
            try refusal {
                $0.addTensor("t", shape: [1])
                $0.addTensor("t", shape: [1], offset: 32)
            } == "'t' is there a second time at byte 57"
        )
        #expect(
            try refusal { $0.addTensor("t", shape: [1], dimensionCount: 5) }
                == "'t' has 5 dimensions, more than 4 at byte 33"
        )
        for (shape, type) in [
            ([0], 0), ([1 << 62, 4], 0), ([1 << 32, 1 << 32], 0), ([31], 8), ([33, 2], 2),
            ([128], 12), ([3, 1 << 62], 1),
        ] as [([UInt64], UInt32)] {
            let message = try refusal { $0.addTensor("t", shape: shape, type: type) }
            #expect(message?.contains("impossible in") == true, "\(shape) \(message ?? "")")
        }
        #expect(
            try refusal { $0.addTensor("t", shape: [1 << 63]) }
                == "'t' has dimension 9223372036854775808 at byte 37"
        )
        for type: UInt32 in [4, 5, 31, 32, 33, 36, 37, 38, 1000] {
            #expect(
                try refusal { $0.addTensor("t", shape: [256], type: type) }
                    == "'t' has the unknown type \(type) at byte 45"
            )
        }
        #expect(
            try refusal { $0.addTensor("t", shape: [1], offset: 32) }
                == "'t' has offset 32, must follow the tensor before at 0 at byte 49"
        )
        #expect(
            try refusal {
                $0.addTensor("t", shape: [1])
                $0.addTensor("u", shape: [1], offset: 4)
            } == "'u' has offset 4, must follow the tensor before at 32 at byte 82"
        )
        #expect(
            try refusal { $0.addTensor("t", shape: [17]) }
                == "the data of 't' at byte 64 needs 68 bytes, 64 are left; the file is cut short "
                + "or damaged"
        )
        #expect(
            try refusal { $0.addTensor("t", shape: [1 << 40]) }?
                .hasPrefix("the data of 't', described at byte 24 needs 4398046511104 bytes")
                == true
        )
    }

    @Test("A truth value that is neither 0 nor 1, a text that is not UTF-8")
    func lazyValues() throws {
        let folder = try TemporaryFolder()
        var raw = RawFile()
        raw.addKey(Array("bool".utf8), type: 7, value: [2])
        raw.addKey(Array("text".utf8), type: 8, value: RawFile.string([0x61, 0xFF]))
        let file = try ModelFile(path: try folder.write(raw.bytes))
        #expect(throws: ModelFileError.self) { try file.bool("bool") }
        #expect(throws: ModelFileError.self) { try file.string("text") }
    }
}
