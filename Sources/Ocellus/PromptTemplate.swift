// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusModels
import OcellusTokenizer

/// What surrounds a question in the text that a model reads, from `ocellus.prompt.question`.
///
/// Control tokens are recognised in the template only: a question that contains the text of one is
/// read as plain text.
public struct PromptTemplate: Sendable {
    /// The text before the question.
    public let prefix: String
    /// The text after the question.
    public let suffix: String
    /// Whether there is a template; without one the text is continued as it is.
    public let isPresent: Bool

    /// Texts are continued as they are.
    public static let none = PromptTemplate(prefix: "", suffix: "", isPresent: false)

    private init(prefix: String, suffix: String, isPresent: Bool) {
        self.prefix = prefix
        self.suffix = suffix
        self.isPresent = isPresent
    }

    init(file: borrowing ModelFile) throws(OcellusError) {
        let key = "ocellus.prompt.question"
        guard file.contains(key) else {
            self = .none
            return
        }
        let template = try fromFile { () throws(ModelFileError) in try file.string(key) }
        let bytes = Array(template.utf8)
        let placeholder = bytes.indices.first { index in
            bytes[index] == UInt8(ascii: "{") && index + 1 < bytes.count
                && bytes[index + 1] == UInt8(ascii: "}")
        }
        guard let placeholder else {
            throw .model(.unsupported(path: file.path, what: "\(key) has no {}"))
        }
        prefix = String(decoding: bytes[..<placeholder], as: UTF8.self)
        suffix = String(decoding: bytes[(placeholder + 2)...], as: UTF8.self)
        isPresent = true
    }

    /// The tokens of a question in the template, after the token that begins a text if there is one.
    ///
    /// A space at the end of the prefix belongs to the question's first word, as in the training
    /// text, so the two are tokenised together.
    func tokens(of question: String, tokenizer: Tokenizer) -> [Int] {
        var prefix = prefix
        var question = question
        while isPresent, prefix.utf8.last == UInt8(ascii: " ") {
            prefix.removeLast()
            question = " " + question
        }
        var tokens = tokenizer.encode(prefix, parsingSpecial: true)
        tokens += tokenizer.encode(question, isContinuation: !prefix.isEmpty)
        tokens += tokenizer.encode(suffix, parsingSpecial: true, isContinuation: true)
        return tokens.isEmpty ? [] : (tokenizer.start.map { [$0] } ?? []) + tokens
    }
}
