// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The tokens that are added to a vocabulary behind its training.
struct AddedTokens {
    private struct Token {
        let content: String
        let isSpecial: Bool
    }

    private var tokens: [Int: Token] = [:]

    /// Reads the list of a `tokenizer.json`.
    init(_ settings: ModelSettings) throws(ConversionError) {
        try addList(of: settings)
    }

    /// Reads the files beside a `tokenizer.model`, the one that says most of a token last.
    init(folder: String) throws {
        func settings(_ name: String) throws -> ModelSettings? {
            let path = "\(folder)/\(name)"
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            return try ModelSettings(path: path)
        }
        if let settings = try settings("added_tokens.json") {
            for (content, id) in settings.json.members ?? [] {
                try add(id, Token(content: content, isSpecial: false), content, of: settings)
            }
        }
        if let settings = try settings("tokenizer.json") { try addList(of: settings) }
        if let settings = try settings("tokenizer_config.json"),
            settings.has("added_tokens_decoder")
        {
            let decoder = try settings.below("added_tokens_decoder")
            for (id, _) in decoder.json.members ?? [] {
                let number = JSONValue.number(Double(id) ?? -1)
                try add(number, Self.token(try decoder.below(id)), id, of: decoder)
            }
        }
    }

    /// Adds them to a vocabulary, with unused tokens where ids are left out; what a vocabulary knows as more
    /// than a piece of text stays.
    func add(to tokens: inout [String], _ types: inout [TokenizerDescription.TokenType]) {
        for (id, token) in self.tokens.sorted(by: { $0.key < $1.key }) {
            while tokens.count <= id {
                tokens.append("[PAD\(tokens.count)]")
                types.append(.unused)
            }
            if tokens[id] == token.content, types[id] != .normal { continue }
            tokens[id] = token.content
            types[id] = token.isSpecial ? .control : .userDefined
        }
    }

    private mutating func addList(of settings: ModelSettings) throws(ConversionError) {
        for value in settings.json["added_tokens"]?.array ?? [] {
            let token = ModelSettings(path: settings.path, json: value, prefix: "added_tokens.")
            try add(value["id"] ?? .null, Self.token(token), "id", of: token)
        }
    }

    private static func token(_ settings: ModelSettings) throws(ConversionError) -> Token {
        Token(
            content: try settings.text("content"),
            isSpecial: try settings.flag("special", default: false)
        )
    }

    private mutating func add(
        _ id: JSONValue,
        _ token: Token,
        _ key: String,
        of settings: ModelSettings
    ) throws(ConversionError) {
        guard let number = id.int, 0..<(1 << 24) ~= number else {
            throw settings.bad(key, "an id from 0 to 2^24", id)
        }
        tokens[number] = token
    }
}
