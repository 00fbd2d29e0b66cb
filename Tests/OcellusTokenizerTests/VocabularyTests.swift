// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusTokenizer
import Testing

@Suite("Vocabulary")
struct VocabularyTests {
    private static let tokens = ["<|end|>", "a", "b", "ab", "Ġ", "\u{FFFD}é"]
    private static let types = [3, 1, 1, 1, 1, 1]

    private func description(
        tokens: [String] = tokens,
        types: [Int] = types,
        merges: [String] = ["a b"],
        endOfText: Int = 0
    ) -> String? {
        do throws(TokenizerError) {
            _ = try Vocabulary(tokens: tokens, types: types, merges: merges, endOfText: endOfText)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("A damaged vocabulary is refused with the reason")
    func refusals() {
        #expect(description() == nil)
        #expect(description(tokens: [], types: []) == "a vocabulary of 0 tokens cannot be used")
        #expect(description(types: [3, 1]) == "the vocabulary has 6 tokens, but 2 types of tokens")
        #expect(
            description(types: [3, 1, 1, 1, 1, 7])
                == "token 5 has the unknown type 7; 1 to 6 are known"
        )
        #expect(
            description(endOfText: 6)
                == "the end-of-text token has id 6, the vocabulary 6 tokens"
        )
        for merge in ["ab", "a b a", " b", "a ", " ", ""] {
            #expect(
                description(merges: ["a b", merge])
                    == "merge 1 is '\(merge)', not two tokens with one space between them"
            )
        }
        #expect(
            description(merges: ["b a"])
                == "merge 0 needs the token 'ba', which is not in the vocabulary"
        )
        #expect(
            description(merges: ["c a"])
                == "merge 0 needs the token 'c', which is not in the vocabulary"
        )
    }

    @Test("Damaged pieces of SentencePiece are refused with the reason")
    func pieceRefusals() {
        func description(pieces: [String], scores: [Float]) -> String? {
            do throws(TokenizerError) {
                _ = try Vocabulary(
                    pieces: pieces,
                    types: [Int](repeating: 1, count: pieces.count),
                    scores: scores,
                    endOfText: 0,
                    start: nil,
                    spacePrefix: .always
                )
                return nil
            } catch {
                return error.description
            }
        }
        #expect(description(pieces: ["a", "ab", "b"], scores: [0, -1, 0]) == nil)
        #expect(
            description(pieces: ["a", "b"], scores: [0])
                == "the vocabulary has 2 tokens, but 1 scores of tokens"
        )
        #expect(
            description(pieces: ["a", "b"], scores: [0, .nan])
                == "the score of token 1 is not finite"
        )
        #expect(
            description(pieces: ["a", String(repeating: "b", count: 1025)], scores: [0, 0])
                == "token 1 has 1025 bytes; pieces of up to 1024 are read"
        )
    }

    @Test("Bytes without a token are left out, as tokenizers does without an unknown token")
    func missingBytes() throws {
        let vocabulary = try Vocabulary(
            tokens: Self.tokens,
            types: Self.types,
            merges: ["a b"],
            endOfText: 0
        )
        #expect(Tokenizer(vocabulary: vocabulary).encode("axb ") == [3, 4])
    }

    @Test("A token with a character outside of the byte alphabet stands for itself")
    func foreignCharacter() throws {
        let vocabulary = try Vocabulary(
            tokens: Self.tokens,
            types: Self.types,
            merges: [],
            endOfText: 0
        )
        #expect(vocabulary.piece(of: 5) == "\u{FFFD}é")
        #expect(vocabulary.piece(of: 4) == " ")
        #expect(vocabulary.piece(of: 6) == "")
    }

    @Test("Damaged vocabularies are refused or usable")
    func damage() throws {
        let file = try ModelFile(path: "\(TokenizerFixture.folder)/vocabulary.gguf")
        let tokens = try file.strings("tokenizer.ggml.tokens")
        let types = try file.ints("tokenizer.ggml.token_type")
        let merges = try file.strings("tokenizer.ggml.merges")
        let text = try TokenizerFixture.cases().prefix(20).flatMap(\.text)
        let damages = ["", " ", "a", "Ġ", "\u{0}", "\u{301}", "a b", "Ġ Ġ", "👩‍🔬", "[PAD1]", "t h e"]
        var (usableCount, refusedCount) = (0, 0)
        for (index, damage) in damages.enumerated() {
            for place in [0, 40 + index, 200 + 7 * index, 2000 + index, tokens.count - 1 - index] {
                var (tokens, types, merges) = (tokens, types, merges)
                tokens[place] = damage
                types[(place + index) % types.count] = index % 8
                merges.swapAt(0, (place + index) % merges.count)
                if index % 2 == 0 { merges[place % merges.count] = damage }
                let vocabulary = try? Vocabulary(
                    tokens: tokens,
                    types: types,
                    merges: merges,
                    endOfText: 0
                )
                guard let vocabulary else {
                    refusedCount += 1
                    continue
                }
                usableCount += 1
                let ids = Tokenizer(vocabulary: vocabulary).encode(text, parsingSpecial: true)
                var detokenizer = Detokenizer(vocabulary)
                var output: [UInt8] = []
                for id in ids { detokenizer.append(id, to: &output) }
                #expect(!output.isEmpty)
            }
        }
        #expect(usableCount > 5 && refusedCount > 5)
    }
}
