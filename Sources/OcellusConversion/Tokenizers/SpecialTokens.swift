// SPDX-License-Identifier: Apache-2.0
import Foundation

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
    init(folder: String) throws {
        var files: [ModelSettings] = []
        for name in ["tokenizer_config.json", "special_tokens_map.json"] {
            let path = "\(folder)/\(name)"
            guard FileManager.default.fileExists(atPath: path) else { continue }
            files.append(try ModelSettings(path: path))
        }
        func text(_ key: String) -> String? {
            files.lazy.compactMap { $0.json[key]?.string ?? $0.json[key]?["content"]?.string }.first
        }
        generationPath = "\(folder)/generation_config.json"
        var ends: JSONValue?
        if FileManager.default.fileExists(atPath: generationPath) {
            ends = try ModelSettings(path: generationPath).json["eos_token_id"]
        }
        generationEnds = ends?.ints ?? ends?.int.map { [$0] } ?? []
        startText = text("bos_token")
        endText = text("eos_token")
        addsStart = files.first?.json["add_bos_token"]?.bool
        isLegacy = files.first?.json["legacy"]?.bool ?? true
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
