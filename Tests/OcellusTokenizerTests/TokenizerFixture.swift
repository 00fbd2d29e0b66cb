// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusTokenizer

/// The vocabulary and the cases that scripts/references/tokenizer.py has written.
enum TokenizerFixture {
    /// One input and what the `tokenizers` package makes of it.
    struct Case {
        /// The text; not always valid UTF-8.
        var text: [UInt8]
        /// Its ids with special tokens read as text.
        var plain: [Int]
        /// Its ids with special tokens parsed.
        var parsed: [Int]
    }

    static let folder =
        "\(#filePath)".dropLast("OcellusTokenizerTests/TokenizerFixture.swift".count)
        + "Fixtures/tokenizer"

    static func vocabulary(path: String = "\(folder)/vocabulary.gguf") throws -> Vocabulary {
        let file = try ModelFile(path: path)
        return try Vocabulary(
            tokens: file.strings("tokenizer.ggml.tokens"),
            types: file.ints("tokenizer.ggml.token_type"),
            merges: file.strings("tokenizer.ggml.merges"),
            endOfText: file.int("tokenizer.ggml.eos_token_id")
        )
    }

    /// Reads cases whose ids have this type.
    static func cases<ID: FixedWidthInteger>(
        path: String = "\(folder)/cases.bin",
        ids: ID.Type = UInt16.self
    ) throws -> [Case] {
        var bytes = try readFile(path)[...]
        var cases: [Case] = []
        func take<T: FixedWidthInteger>(_ type: T.Type) -> T {
            defer { bytes = bytes.dropFirst(MemoryLayout<T>.size) }
            return bytes.prefix(MemoryLayout<T>.size).reversed().reduce(0) { $0 << 8 | T($1) }
        }
        while !bytes.isEmpty {
            let byteCount = Int(take(UInt16.self))
            let text = Array(bytes.prefix(byteCount))
            bytes = bytes.dropFirst(byteCount)
            let plain = (0..<take(UInt16.self)).map { _ in Int(take(ID.self)) }
            let parsedCount = take(UInt16.self)
            let parsed =
                parsedCount == .max ? plain : (0..<parsedCount).map { _ in Int(take(ID.self)) }
            cases.append(Case(text: text, plain: plain, parsed: parsed))
        }
        return cases
    }
}
