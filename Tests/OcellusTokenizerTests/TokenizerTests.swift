// SPDX-License-Identifier: Apache-2.0
import Glibc
import OcellusTokenizer
import Testing

@Suite("Tokenizer against the tokenizers package")
struct TokenizerTests {
    @Test("The same ids for every line, with special tokens as text and parsed")
    func allLines() throws {
        let tokenizer = Tokenizer(vocabulary: try TokenizerFixture.vocabulary())
        let cases = try TokenizerFixture.cases()
        #expect(cases.count > 3000)
        for example in cases {
            let text = String(decoding: example.text, as: UTF8.self)
            #expect(tokenizer.encode(example.text) == example.plain, "\(text.debugDescription)")
            #expect(
                tokenizer.encode(example.text, parsingSpecial: true) == example.parsed,
                "\(text.debugDescription)"
            )
        }
    }

    @Test("A string and its UTF-8 give the same ids")
    func strings() throws {
        let tokenizer = Tokenizer(vocabulary: try TokenizerFixture.vocabulary())
        for example in try TokenizerFixture.cases() {
            let text = String(decoding: example.text, as: UTF8.self)
            #expect(tokenizer.encode(text) == example.plain)
        }
    }

    @Test("A run of spaces longer than the longest token takes that one first")
    func longRuns() throws {
        let vocabulary = try TokenizerFixture.vocabulary()
        let tokenizer = Tokenizer(vocabulary: vocabulary)
        let pieces = tokenizer.encode(String(repeating: " ", count: 51) + "x")
            .map(vocabulary.piece(of:))
        let run = String(repeating: " ", count: 24)
        #expect(pieces == [run, run, "   ", "x"])
    }

    @Test("Padding is neither found in a text nor to be sampled")
    func padding() throws {
        let vocabulary = try TokenizerFixture.vocabulary()
        let padding = try #require((0..<vocabulary.count).first(where: vocabulary.isPadding))
        let tokens = Tokenizer(vocabulary: vocabulary).encode(vocabulary.piece(of: padding))
        #expect(!tokens.contains(padding))
        #expect((0..<vocabulary.count).filter(vocabulary.isPadding).count == 3)
    }

    @Test("Long words are encoded in time that does not grow with their square")
    func longWords() throws {
        let tokenizer = Tokenizer(vocabulary: try TokenizerFixture.vocabulary())
        let vowels = "aeiou"
        let word = String((0..<1000).flatMap { "str\(vowels.dropFirst($0 % 5).first ?? "a")" })
        let short = cpuNanoseconds { _ = tokenizer.encode(word) }
        let long = cpuNanoseconds { _ = tokenizer.encode(String(repeating: word, count: 10)) }
        #expect(long < short * 40, "10 times the length took \(long) ns instead of \(short) ns")
    }

    /// The shortest of five runs, in processor time: other programs do not count.
    private func cpuNanoseconds(_ body: () -> Void) -> UInt64 {
        func now() -> UInt64 {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        }
        return (0..<5).map { _ in
            let start = now()
            body()
            return now() - start
        }.min() ?? 0
    }
}
