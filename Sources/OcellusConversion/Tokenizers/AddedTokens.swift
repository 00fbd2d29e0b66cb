// SPDX-License-Identifier: Apache-2.0

/// The tokens that are added to a vocabulary behind its training.
struct AddedTokens {
    private struct Token {
        let content: String
        let isSpecial: Bool
    }

    private let limit: TokenLimit
    private var tokens: [Int: Token] = [:]

    /// Reads the list of a `tokenizer.json`.
    ///
    /// - Throws: `ConversionError`.
    init(_ settings: ModelSettings, limit: TokenLimit) throws(ConversionError) {
        self.limit = limit
        try addList(of: settings)
    }

    /// Reads the files beside a `tokenizer.model`, the one that says most of a token last.
    ///
    /// - Throws: `ConversionError`, and `ModelFileError.cannotOpen`.
    init(folder: String, limit: TokenLimit) throws {
        self.limit = limit
        if let file = try ModelSettings.ifPresent(path: "\(folder)/added_tokens.json") {
            for (content, id) in file.json.members ?? [] {
                let id = try limit.id(id, content, of: file)
                try add(Token(content: content, isSpecial: false), id, content, of: file)
            }
        }
        if let file = try ModelSettings.ifPresent(path: "\(folder)/tokenizer.json") {
            try addList(of: file)
        }
        if let file = try ModelSettings.ifPresent(path: "\(folder)/tokenizer_config.json"),
            file.has("added_tokens_decoder")
        {
            let decoder = try file.below("added_tokens_decoder")
            for (key, _) in decoder.json.members ?? [] {
                let id = try limit.id(key, of: decoder)
                let entry = try decoder.below(key)
                try add(try Self.token(entry), id, "content", of: entry)
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
        for (index, value) in try settings.list("added_tokens").enumerated() {
            let entry = try settings.element("added_tokens.\(index)", value)
            let id = try limit.id(try entry.value("id"), "id", of: entry)
            try add(try Self.token(entry), id, "content", of: entry)
        }
    }

    /// Adds a token, or says of one that is known whether it is special.
    private mutating func add(
        _ token: Token,
        _ id: Int,
        _ key: String,
        of settings: ModelSettings
    ) throws(ConversionError) {
        if let other = tokens[id], !other.content.utf8.elementsEqual(token.content.utf8) {
            throw settings.bad(
                key,
                "'\(other.content)', which the id \(id) stands for already",
                .string(token.content)
            )
        }
        tokens[id] = token
    }

    /// A token that is found wherever its text is: what the flags would change, encoders here do not.
    private static func token(_ settings: ModelSettings) throws(ConversionError) -> Token {
        for flag in ["lstrip", "rstrip", "single_word"] { try settings.require(flag, false) }
        return Token(
            content: try settings.text("content"),
            isSpecial: try settings.flag("special", default: false)
        )
    }
}
