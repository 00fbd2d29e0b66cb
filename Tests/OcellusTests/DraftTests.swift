// SPDX-License-Identifier: Apache-2.0
import CAllocationCounter
import Ocellus
import Testing

/// Drafts change how fast an answer comes, and nothing of the answer.
@Suite(.serialized) struct DraftTests {
    /// Models of random weights: both families, all kinds of weights.
    static let models = [
        "mamba-f16", "mamba-bf16", "mamba-q8_0", "mamba-q4_0", "mamba-q4_k", "mamba-q6_k",
        "mamba-untied", "mamba2-f16", "mamba2-q8_0", "mamba2-q5_k", "mamba2-groups",
    ]

    struct Answered: Equatable {
        var tokens: [Int]
        var probability: Float
    }

    /// The answers to some questions, some of them asked again, and what became of the drafts.
    static func answers(
        _ model: String,
        draftLength: Int,
        sampling: Sampling = .greedy
    ) throws -> (answers: [Answered], drafted: Int, accepted: Int) {
        let options = SessionOptions(draftLength: draftLength)
        let path = Fixture.path("models/\(model)/decoder.gguf")
        var session = try Session(try Model(path: path, options: options))
        var answer = Answer(capacity: 48)
        var answers: [Answered] = []
        var (drafted, accepted) = (0, 0)
        for question in ["a cat", "on the mat", "a cat", "the cat", "on the mat"] {
            session.answer(
                try session.prompt(question),
                sampling: sampling,
                maximumTokens: 48,
                into: &answer
            )
            answers.append(Answered(tokens: answer.tokens, probability: answer.probability))
            drafted += answer.draftedTokenCount
            accepted += answer.acceptedTokenCount
        }
        return (answers, drafted, accepted)
    }

    @Test("the same tokens and probabilities as without", arguments: models)
    func draftsChangeNoAnswer(model: String) throws {
        let plain = try Self.answers(model, draftLength: 0)
        #expect(plain.drafted == 0)
        for length in [1, 2] {
            let drafted = try Self.answers(model, draftLength: length)
            #expect(drafted.answers == plain.answers)
            #expect(drafted.accepted > 0)
        }
    }

    @Test("wrong drafts leave no trace", arguments: ["mamba-q8_0", "mamba2-q8_0"])
    func wrongDraftsLeaveNoTrace(model: String) throws {
        // Sampled answers to equal questions differ, so that drafts begin right and go wrong.
        let sampling = Sampling(temperature: 0.7, topK: 3, seed: 5)
        let plain = try Self.answers(model, draftLength: 0, sampling: sampling)
        let drafted = try Self.answers(model, draftLength: 2, sampling: sampling)
        #expect(drafted.answers == plain.answers)
        #expect(drafted.accepted > 0)
        #expect(drafted.accepted < drafted.drafted)
    }

    @Test func anAnswerWithDraftsAllocatesNothing() throws {
        let options = SessionOptions(draftLength: 2)
        let path = Fixture.path("models/mamba-q8_0/decoder.gguf")
        var session = try Session(try Model(path: path, options: options))
        let prompt = try session.prompt("a cat on the mat")
        var answer = Answer(capacity: 48)
        let before = allocation_count()
        for _ in 0..<40 { session.answer(prompt, maximumTokens: 48, into: &answer) }
        #expect(allocation_count() == before)
        #expect(answer.acceptedTokenCount > 0)
    }
}
