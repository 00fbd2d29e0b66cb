// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusFormat
import ReferenceArrays
import Testing

/// The shipped model in PyTorch and in the runtime: the same answers, question by question.
///
/// `models/ommatidium/train/reference.py` wrote the expected values from the shipped files.
@Suite struct ReferenceAnswerTests {
    struct Reference: Decodable {
        struct Input: Decodable {
            struct Answer: Decodable {
                let question: String
                let prompt: [Int]
                let answer: String
                let tokens: [Int]
                let logits: [Float]
            }
            let name: String
            let frames: [String]
            let answers: [Answer]
        }
        let model: String
        let inputs: [Input]
    }

    static func reference() throws -> Reference {
        let data = try Data(
            contentsOf: URL(
                fileURLWithPath: Fixture.path(
                    "ommatidium-reference.json"
                )
            )
        )
        return try JSONDecoder().decode(Reference.self, from: data)
    }

    @Test func theReferenceBelongsToTheShippedModel() throws {
        let session = try Session.shipped()
        let model = try session.model.decoderFile.string("ocellus.model.id")
        #expect(try Self.reference().model == model)
    }

    @Test("the same answers, first logits within 1e-3", arguments: [1, 2])
    func answersEqualPyTorch(threadCount: Int) throws {
        var questionCount = 0
        for input in try Self.reference().inputs {
            var session = try Session.shipped(threadCount: threadCount)
            for frame in input.frames { try session.see(fixture: frame) }
            for expected in input.answers {
                let prompt = try session.prompt(expected.question)
                #expect(prompt.tokens == expected.prompt, "\(expected.question)")
                var answer = Answer(capacity: 32)
                session.answer(prompt, maximumTokens: 32, into: &answer)
                #expect(answer.tokens == expected.tokens, "\(input.name): \(expected.question)")
                #expect(answer.text == expected.answer, "\(input.name): \(expected.question)")
                let logits = session.firstLogits(after: prompt)
                let error = greatestDifference(logits, expected.logits)
                #expect(error < 1e-3, "\(input.name): \(expected.question): \(error)")
                questionCount += 1
            }
        }
        #expect(questionCount >= 50)
    }
}
