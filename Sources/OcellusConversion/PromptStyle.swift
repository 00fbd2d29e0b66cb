// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What surrounds a question in the text that a model was trained with; stored in the model file as
/// "ocellus.prompt.question".
public enum PromptStyle: String, CaseIterable, Sendable {
    /// The text is continued as it is: models that were not trained with questions.
    case none
    /// Cobra with a decoder that was not trained with questions before.
    case inOut = "in-out"
    /// Zephyr's turns: mamba-2.8b-zephyr, and Cobra with it.
    case zephyr
    /// OpenAI's ChatML: falcon-mamba-7b-instruct.
    case chatML = "chatml"
    /// Vicuna's first turn: MobileVLM.
    case vicuna

    /// The text with "{}" in place of the question, or nil if there is none.
    ///
    /// - Source: h-zhao1997/cobra, models/backbones/llm/prompting (zephyr, in-out, without a system
    ///   prompt); Meituan-AutoML/MobileVLM, mobilevlm/conversation.py (v1).
    public var template: String? {
        switch self {
        case .none: nil
        case .inOut: "In: {}\nOut: "
        case .zephyr: "<|user|>\n{}<|endoftext|>\n<|assistant|>\n"
        case .chatML: "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
        case .vicuna:
            "A chat between a curious user and an artificial intelligence assistant. The assistant "
                + "gives helpful, detailed, and polite answers to the user's questions. "
                + "USER: {} ASSISTANT:"
        }
    }

    /// The style of a description in Jinja, or nil if it is not known.
    ///
    /// The marks of a turn tell the styles apart; `surroundings` has what else a description does.
    /// Zephyr's turns end with the token that ends a text, GPT-NeoX's: others have turns that begin
    /// alike.
    ///
    /// - Parameters:
    ///   - description: The description.
    ///   - end: The token that ends a text.
    /// - Returns: The style.
    static func style(of description: String, end: String) -> PromptStyle? {
        if description.contains("<|im_start|>") { return .chatML }
        let begins = ["<|user|>", "<|assistant|>"].allSatisfy(description.contains)
        let ends = ["eos_token", "<|endoftext|>"].contains(where: description.contains)
        let isZephyr =
            begins && ends && !description.contains("<|end|>") && end == "<|endoftext|>"
        return isZephyr ? .zephyr : nil
    }

    /// What a description in Jinja puts before the turns, and no style has: the name of each.
    ///
    /// A system message counts where ChatML's mark of it is written out, and where text follows
    /// Zephyr's: an expression behind that one is a message from who asks. ChatML's may be one, too;
    /// that is noted rather once too often.
    ///
    /// - Parameters:
    ///   - description: The description.
    ///   - addsStart: Whether the tokenizer puts the token that begins a text by itself.
    /// - Returns: The names.
    static func surroundings(of description: String, addsStart: Bool) -> [String] {
        let text = description.replacingOccurrences(of: "\\n", with: "\n")
        let rest = text.components(separatedBy: "<|system|>\n").dropFirst()
        let hasMessage =
            text.contains("<|im_start|>system") || rest.contains { $0.first?.isLetter ?? false }
        let hasStart = text.contains("bos_token") && !addsStart
        return (hasStart ? ["bos_token"] : []) + (hasMessage ? ["a system message"] : [])
    }

    /// What the files of a tokenizer describe in Jinja, or nil.
    ///
    /// - Throws: `ConversionError.damaged`, and `ModelFileError.cannotOpen`.
    static func description(in folder: String) throws -> String? {
        var text = try? String(contentsOfFile: "\(folder)/chat_template.jinja", encoding: .utf8)
        if text == nil,
            let file = try ModelSettings.ifPresent(path: "\(folder)/tokenizer_config.json"),
            file.has("chat_template")
        {
            let value = try file.value("chat_template")
            if let list = value.array {
                // Several with names, of which one may be the default.
                text = list.first { $0["name"]?.string == "default" }?["template"]?.string
            } else {
                text = try file.text("chat_template")
            }
        }
        return text
    }
}
