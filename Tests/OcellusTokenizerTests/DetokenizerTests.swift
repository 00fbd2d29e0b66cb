// SPDX-License-Identifier: Apache-2.0
import OcellusTokenizer
import Testing

@Suite("Detokenizer")
struct DetokenizerTests {
    @Test("Ids give back the text in normal form C")
    func roundTrip() throws {
        let vocabulary = try TokenizerFixture.vocabulary()
        let tokenizer = Tokenizer(vocabulary: vocabulary)
        for example in try TokenizerFixture.cases() {
            var detokenizer = Detokenizer(vocabulary)
            var text: [UInt8] = []
            for token in example.plain { detokenizer.append(token, to: &text) }
            detokenizer.finish(to: &text)
            #expect(tokenizer.encode(text) == example.plain)
            // Swift compares strings by canonical equivalence, but for texts with three Tibetan
            // vowels, whose marks it does not put in order.
            let original = String(decoding: example.text, as: UTF8.self)
            let vowels: [Unicode.Scalar] = ["\u{F73}", "\u{F75}", "\u{F81}"]
            if !original.unicodeScalars.contains(where: vowels.contains) {
                #expect(String(decoding: text, as: UTF8.self) == original)
            }
        }
    }

    @Test("What has been appended is valid UTF-8 at any time")
    func incompleteCharacters() throws {
        let vocabulary = try TokenizerFixture.vocabulary()
        for example in try TokenizerFixture.cases() {
            var detokenizer = Detokenizer(vocabulary)
            var text: [UInt8] = []
            for token in example.plain {
                detokenizer.append(token, to: &text)
                #expect(String(validating: text, as: UTF8.self) != nil)
            }
        }
    }

    @Test("An incomplete character at the end becomes one U+FFFD, as in Python")
    func endWithinCharacter() throws {
        let vocabulary = try TokenizerFixture.vocabulary()
        var detokenizer = Detokenizer(vocabulary)
        var text: [UInt8] = []
        for byte: UInt8 in [0x61, 0xF0, 0x9F, 0x98] {
            let token = (0..<vocabulary.count).first { vocabulary.bytes(of: $0) == [byte] }
            detokenizer.append(try #require(token), to: &text)
        }
        #expect(text == Array("a".utf8))
        detokenizer.finish(to: &text)
        #expect(text == Array("a\u{FFFD}".utf8))
    }

    @Test("Special tokens and ids out of range print nothing")
    func specialTokens() throws {
        let vocabulary = try TokenizerFixture.vocabulary()
        let tokenizer = Tokenizer(vocabulary: vocabulary)
        var detokenizer = Detokenizer(vocabulary)
        var text: [UInt8] = []
        let tokens = tokenizer.encode("<|question|>yes<|answer|> no", parsingSpecial: true)
        for token in tokens + [-1, vocabulary.count] { detokenizer.append(token, to: &text) }
        detokenizer.finish(to: &text)
        #expect(String(decoding: text, as: UTF8.self) == "yes no")
    }
}
