// SPDX-License-Identifier: Apache-2.0

/// What a `tokenizer.json` puts around the tokens of a text.
///
/// | type | what |
/// |---|---|
/// | none, ByteLevel | it says nothing: ByteLevel changes offsets alone |
/// | TemplateProcessing | the tokens of its template for a single text |
/// | Sequence | those of its processors |
///
/// A model file has one token before a text at most, and none behind it: anything else is refused.
///
/// - Source: huggingface/tokenizers, tokenizers/src/processors.
struct PostProcessor {
    /// Whether a text begins with a token; nil if the file does not say it.
    private(set) var addsStart: Bool?
    /// That token.
    private(set) var start: Int?

    /// Reads what a file says.
    ///
    /// - Parameters:
    ///   - settings: The file.
    ///   - tokens: Its vocabulary.
    ///   - limit: The ids that tokens may have.
    /// - Throws: `ConversionError`.
    init(
        _ settings: ModelSettings,
        of tokens: [String],
        limit: TokenLimit
    ) throws(ConversionError) {
        guard settings.has("post_processor") else { return }
        try read(try settings.below("post_processor"), tokens, limit)
    }

    private mutating func read(
        _ processor: ModelSettings,
        _ tokens: [String],
        _ limit: TokenLimit
    ) throws(ConversionError) {
        let type = try processor.text("type")
        switch type {
        case "ByteLevel":
            break
        case "Sequence":
            for (index, value) in try processor.list("processors").enumerated() {
                try read(try processor.element("processors.\(index)", value), tokens, limit)
            }
        case "TemplateProcessing":
            guard addsStart == nil else {
                throw processor.bad("type", "the only template", .string(type))
            }
            try readTemplate(processor, tokens, limit)
        default:
            throw processor.bad(
                "type",
                "'ByteLevel', 'TemplateProcessing' or 'Sequence'",
                .string(type)
            )
        }
    }

    private mutating func readTemplate(
        _ processor: ModelSettings,
        _ tokens: [String],
        _ limit: TokenLimit
    ) throws(ConversionError) {
        let parts = try processor.list("single")
        let names = parts.map { $0["SpecialToken"]?["id"]?.string }
        let texts = parts.indices.filter { parts[$0]["Sequence"]?["id"]?.string == "A" }
        // The text comes last, behind one token or none.
        guard texts == [parts.count - 1], parts.count <= 2, parts.count == 1 || names[0] != nil
        else {
            let found = parts.indices.map { names[$0] ?? (texts.contains($0) ? "$A" : "?") }
            throw processor.bad(
                "single",
                "a text, $A, or one token and a text",
                .string(found.joined(separator: " "))
            )
        }
        addsStart = parts.count == 2
        guard let name = names[0] else { return }
        let token = try processor.below("special_tokens").below(name)
        let ids = try token.value("ids")
        guard let values = ids.array, values.count == 1 else {
            throw token.bad("ids", "one id", ids)
        }
        let id = try limit.id(values[0], "ids", of: token)
        guard tokens.indices.contains(id), tokens[id] == name else {
            throw token.bad("ids", "the id of '\(name)'", values[0])
        }
        start = id
    }
}
