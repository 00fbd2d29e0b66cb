// SPDX-License-Identifier: Apache-2.0

/// The tokens with a meaning, from `tokenizer_config.json`, `special_tokens_map.json` and
/// `generation_config.json`.
struct SpecialTokens {
    private let startText: String?
    private let endText: String?
    /// Whether text behind a special token gets a space before it, as transformers had it at first.
    let isLegacy: Bool
    private let generationPath: String
    /// The ids with which the model ends what it generates.
    private let generationEnds: [Int]
    /// Whether a text begins with the start token, if a file says it.
    let addsStart: Bool?

    /// Reads the files of a folder that are there.
    ///
    /// - Throws: `ConversionError`.
    init(folder: String) throws {
        let file = try ModelSettings.ifPresent(path: "\(folder)/tokenizer_config.json")
        let map = try ModelSettings.ifPresent(path: "\(folder)/special_tokens_map.json")
        startText = try Self.text("bos_token", in: file) ?? Self.text("bos_token", in: map)
        endText = try Self.text("eos_token", in: file) ?? Self.text("eos_token", in: map)
        let saysStart = file?.has("add_bos_token") ?? false
        addsStart = saysStart ? try file?.flag("add_bos_token", default: false) : nil
        isLegacy = try file?.flag("legacy", default: true) ?? true
        generationPath = "\(folder)/generation_config.json"
        generationEnds = try Self.ends(in: ModelSettings.ifPresent(path: generationPath))
    }

    /// The text of a token, which may be the content of an object.
    private static func text(
        _ key: String,
        in file: ModelSettings?
    ) throws(ConversionError) -> String? {
        guard let file, file.has(key) else { return nil }
        let value = try file.value(key)
        return value.string == nil && value.members != nil
            ? try file.below(key).text("content") : try file.text(key)
    }

    /// One id or several.
    private static func ends(in file: ModelSettings?) throws(ConversionError) -> [Int] {
        guard let file, file.has("eos_token_id") else { return [] }
        let value = try file.value("eos_token_id")
        guard let ends = value.ints ?? value.int.map({ [$0] }) else {
            throw file.bad("eos_token_id", "an id or a list of ids", value)
        }
        return ends
    }

    /// Whether a file says which token ends a text.
    var hasEnd: Bool { endText != nil }

    /// The id of the token that begins a text.
    func start(among tokens: [String]) -> Int? {
        startText.flatMap { tokens.firstIndex(of: $0) }
    }

    /// The other ids that end a text.
    ///
    /// - Throws: `ConversionError.unsupported` for more than a file can say, or ids of no token.
    func otherEnds(
        than end: Int,
        among tokens: [String]
    ) throws(ConversionError) -> [Int] {
        let ends = Set(generationEnds).subtracting([end]).sorted()
        if let id = ends.first(where: { !tokens.indices.contains($0) }) {
            throw .unsupported(
                path: generationPath,
                what: "the end token \(id), of \(tokens.count) tokens in all"
            )
        }
        guard ends.count <= 2 else {
            throw .unsupported(
                path: generationPath,
                what: "\(ends.count + 1) tokens that end a text; a model file holds three"
            )
        }
        return ends
    }

    /// The id of the token that ends a text; without a file that says it, GPT-NeoX's or LLaMA's.
    ///
    /// - Throws: `ConversionError.unsupported` if none of a vocabulary does.
    func end(among tokens: [String], of path: String) throws(ConversionError) -> Int {
        let names = endText.map { [$0] } ?? ["<|endoftext|>", "</s>"]
        guard let end = names.lazy.compactMap({ tokens.firstIndex(of: $0) }).first else {
            throw .unsupported(
                path: path,
                what: "no token is known to end a text: no \(names.joined(separator: ", no "))"
            )
        }
        return end
    }
}
