// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat

/// The file that scripts/references/gguf_files.py has written, and what the `gguf` package reads
/// in it.
struct SmallFile: Decodable {
    struct Field: Decodable {
        var types: [String]
        var value: String
    }

    struct Tensor: Decodable {
        var name: String
        var type: String
        var shape: [Int]
        var offset: Int
        /// In hexadecimal.
        var bytes: String
    }

    var metadata: [String: Field]
    var tensors: [Tensor]

    static let folder =
        "\(#filePath)".dropLast("OcellusFormatTests/SmallFile.swift".count)
        + "Fixtures/gguf"
    static let path = "\(folder)/small.gguf"

    static func load() throws -> SmallFile {
        let text = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/small.json"))
        return try JSONDecoder().decode(SmallFile.self, from: text)
    }

    /// The bytes of the file.
    static func bytes() throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// The metadata of the file as the writer takes it, without the architecture.
    static let values: [(key: String, value: MetadataValue)] = [
        ("test.u8", .uint8(255)),
        ("test.i8", .int8(-128)),
        ("test.u16", .uint16(65535)),
        ("test.i16", .int16(-32768)),
        ("test.u32", .uint32(4_294_967_295)),
        ("test.i32", .int32(-2_147_483_648)),
        ("test.f32", .float32(0.15625)),
        ("test.yes", .bool(true)),
        ("test.no", .bool(false)),
        ("test.text", .string("Straße, 猫, 🚲")),
        ("test.u64", .uint64(.max)),
        ("test.i64", .int64(.min)),
        ("test.f64", .float64(-1.5e300)),
        ("test.strings", .strings(["Ġa", "", "b c"])),
        ("test.i32s", .int32s([1, -2, 3])),
        ("test.f32s", .float32s([0.5, -0.25])),
        ("test.bools", .bools([true, false, true])),
        ("test.u32s", .uint32s([640, 480])),
    ]
}
