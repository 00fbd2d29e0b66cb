// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// Reads a SentencePiece model, `tokenizer.model`, of the type BPE without normalisation.
///
/// - Source: google/sentencepiece, src/sentencepiece_model.proto.
struct SentencePieceFile {
    private var tokens: [String] = []
    private var scores: [Float] = []
    private var types: [TokenizerDescription.TokenType] = []
    // The defaults of the format.
    private var modelType: UInt64 = 1
    private var start = 1
    private var end = 2
    private var addsSpace = true
    private var removesSpaces = true
    private var hasCharacterMap = false
    private let path: String

    /// Opens a file.
    init(path: String) throws {
        self.path = path
        let file = try MappedFile(path: path)
        try StandIn.refuse(file)
        try withExtendedLifetime(file) { try readModel(file.bytes[...]) }
    }

    /// The tokenizer that the file describes.
    ///
    /// - Parameters:
    ///   - special: What the files beside it say about the start and the end of a text.
    ///   - added: The tokens that they add.
    /// - Returns: The vocabulary and how it is used.
    /// - Throws: `ConversionError.unsupported`.
    func description(
        _ special: SpecialTokens,
        _ added: AddedTokens
    ) throws(ConversionError) -> TokenizerDescription {
        guard modelType == 2 else {
            throw .unsupported(path: path, what: "a SentencePiece model of another type than BPE")
        }
        guard !removesSpaces, !hasCharacterMap else {
            throw .unsupported(
                path: path,
                what:
                    "a SentencePiece model that normalises its text; those of LLaMA and Mistral do not"
            )
        }
        guard special.hasEnd || tokens.indices.contains(end) else {
            throw .unsupported(path: path, what: "no piece ends a text: \(end) of \(tokens.count)")
        }
        let start = tokens.indices.contains(start) ? start : nil
        var (tokens, types) = (tokens, types)
        added.add(to: &tokens, &types)
        return TokenizerDescription(
            model: "llama",
            tokens: tokens,
            types: types,
            scores: scores + repeatElement(0, count: tokens.count - scores.count),
            endOfText: special.hasEnd ? try special.end(among: tokens, of: path) : end,
            start: special.start(among: tokens) ?? start,
            addsStart: special.addsStart ?? (start != nil),
            spacePrefix: !addsSpace ? .never : special.isLegacy ? .always : .first
        )
    }

    private mutating func readModel(_ bytes: Slice<UnsafeRawBufferPointer>) throws(ConversionError)
    {
        var reader = ProtobufReader(bytes, path: path)
        while let (number, content) = try reader.next() {
            guard case .bytes(let message) = content else { continue }
            switch number {
            case 1: try readPiece(message)
            case 2: try readTraining(message)
            case 3: try readNormalization(message)
            default: break
            }
        }
        guard !tokens.isEmpty else {
            throw damaged("it has no pieces")
        }
    }

    private func damaged(_ what: String) -> ConversionError {
        .damaged(path: path, what: "no SentencePiece model: \(what)")
    }

    private mutating func readPiece(_ bytes: Slice<UnsafeRawBufferPointer>) throws(ConversionError)
    {
        var reader = ProtobufReader(bytes, path: path)
        var (text, score, type) = ("", Float(0), TokenizerDescription.TokenType.normal)
        while let (number, content) = try reader.next() {
            switch (number, content) {
            case (1, .bytes(let bytes)):
                guard let valid = String(validating: bytes, as: UTF8.self) else {
                    throw damaged("the piece \(tokens.count) is not UTF-8")
                }
                text = valid
            case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
            // The numbers of the types are those of GGUF.
            case (3, .integer(let value)):
                guard let known = TokenizerDescription.TokenType(rawValue: Int32(clamping: value))
                else { throw damaged("the piece \(tokens.count) has the type \(value)") }
                type = known
            default: break
            }
        }
        tokens.append(text)
        scores.append(score)
        types.append(type)
    }

    private mutating func readTraining(
        _ bytes: Slice<UnsafeRawBufferPointer>
    ) throws(ConversionError) {
        var reader = ProtobufReader(bytes, path: path)
        while let (number, content) = try reader.next() {
            guard case .integer(let value) = content else { continue }
            switch number {
            case 3: modelType = value
            // -1, which stands for none, is a great number without its sign.
            case 41: start = Int(truncatingIfNeeded: value)
            case 42: end = Int(truncatingIfNeeded: value)
            default: break
            }
        }
    }

    private mutating func readNormalization(
        _ bytes: Slice<UnsafeRawBufferPointer>
    ) throws(ConversionError) {
        var reader = ProtobufReader(bytes, path: path)
        while let (number, content) = try reader.next() {
            switch (number, content) {
            case (2, .bytes(let map)): hasCharacterMap = !map.isEmpty
            case (3, .integer(let value)): addsSpace = value != 0
            case (4, .integer(let value)): removesSpaces = value != 0
            default: break
            }
        }
    }
}
