// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The tokens with a meaning, from `tokenizer_config.json` and `special_tokens_map.json`.
struct SpecialTokens {
    private let startText: String?
    private let endText: String?
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
        startText = text("bos_token")
        endText = text("eos_token")
        addsStart = files.first?.json["add_bos_token"]?.bool
    }

    /// The id of the token that begins a text.
    func start(among tokens: [String]) -> Int? {
        startText.flatMap { tokens.firstIndex(of: $0) }
    }

    /// The id of the token that ends a text; without a file that says it, GPT-NeoX's or LLaMA's.
    func end(among tokens: [String]) -> Int? {
        let names = endText.map { [$0] } ?? ["<|endoftext|>", "</s>"]
        return names.lazy.compactMap { tokens.firstIndex(of: $0) }.first
    }
}
