// SPDX-License-Identifier: Apache-2.0
import Ocellus

/// Asks a session questions as the arguments say: free or among choices, greedy or sampled.
///
/// It keeps the memory of an answer for the next one.
struct Questioner {
    /// The options that `ask` and `watch` share.
    static let options = [
        Option("--choices", "A,B,..."), Option("--max-tokens", "N"),
        Option("--temperature", "T"), Option("--top-k", "K"), Option("--top-p", "P"),
        Option("--seed", "S"),
    ]

    /// Their explanation.
    static let help = """
          --choices A,B,...   score these answers, and answer with the most probable
          --max-tokens N      longest answer (default 32)
          --temperature T     0 always takes the most probable token (default 0)
          --top-k K --top-p P --seed S
        """

    private let sampling: Sampling
    private let maximumTokens: Int
    private let choices: Choices?
    /// The last answer.
    private(set) var answer: Answer
    private var probabilities: [Float] = []

    init(_ arguments: Arguments, session: borrowing Session) throws(CommandError) {
        sampling = Sampling(
            temperature: try arguments.float("--temperature", default: 0, in: 0...100),
            topK: try arguments.int("--top-k", default: 0, in: 0...(1 << 20)),
            topP: try arguments.float("--top-p", default: 1, in: 0...1),
            seed: UInt64(try arguments.int("--seed", default: 0, in: 0...Int.max))
        )
        maximumTokens = try arguments.int("--max-tokens", default: 32, in: 1...4096)
        answer = Answer(capacity: maximumTokens)
        guard let text = arguments.string("--choices") else {
            choices = nil
            return
        }
        var texts: [String] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            texts.append(String(part))
        }
        do {
            choices = try session.choices(texts)
        } catch {
            throw CommandError(error)
        }
    }

    /// Makes the questions ready to be asked.
    static func prompts(
        _ questions: [String],
        session: borrowing Session
    ) throws(CommandError) -> [Prompt] {
        var prompts: [Prompt] = []
        for question in questions {
            do {
                prompts.append(try session.prompt(question))
            } catch {
                throw CommandError(error)
            }
        }
        return prompts
    }

    /// Asks one question; the answer is in `answer`.
    mutating func ask(_ prompt: Prompt, with session: inout Session) {
        if let choices {
            session.answer(
                prompt,
                choices: choices,
                probabilities: &probabilities,
                into: &answer
            )
        } else {
            session.answer(
                prompt,
                sampling: sampling,
                maximumTokens: maximumTokens,
                into: &answer
            )
        }
    }

    /// The last answer for a reader; with choices, its probability behind it.
    func line(_ session: borrowing Session) -> String {
        let text = answerText(session)
        return choices == nil
            ? text : text + "  " + decimal(Double(answer.probability), 3)
    }

    /// The last answer for a program.
    func json(question: String, session: borrowing Session) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("question", .string(question)),
            ("answer", .string(answerText(session))),
            ("probability", .number(Double(answer.probability), digits: 6)),
            ("complete", .bool(answer.isComplete)),
            ("tokens", .int(answer.tokens.count)),
            ("frames", .int(session.frameCount)),
            ("promptMilliseconds", .number(Double(answer.promptNanoseconds) / 1e6, digits: 3)),
            ("decodeMilliseconds", .number(Double(answer.decodeNanoseconds) / 1e6, digits: 3)),
        ]
        if let choices {
            var scores: [(String, JSON)] = []
            for index in choices.texts.indices {
                scores.append(
                    (choices.texts[index], .number(Double(probabilities[index]), digits: 6))
                )
            }
            members.append(("choices", .object(scores)))
        }
        return members
    }

    /// Models without a prompt template continue a text: then every space counts.
    private func answerText(_ session: borrowing Session) -> String {
        session.model.promptTemplate.isPresent ? answer.text : answer.rawText
    }
}
