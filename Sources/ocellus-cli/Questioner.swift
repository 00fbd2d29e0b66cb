// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusCommand
import OcellusService

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
          --choices A,B,...   score these answers, and answer with the most probable (default: the
                              model writes what it likes)
          --max-tokens N      the longest answer, in tokens, 1 to 4096 (default 32)
          --temperature T     0: each token is the most probable one; above it is drawn, by its
                              probability at 1, the more evenly the higher, up to 100 (default 0)
          --top-k K           draw among the K most probable tokens; 0: all of them (default 0)
          --top-p P           draw among the fewest tokens whose probabilities add up to P
                              (default 1: all of them)
          --seed S            of the drawing: the same seed, the same answers (default 0)
        """

    /// How the arguments want questions to be answered.
    let style: AnswerStyle
    /// The last answer.
    private(set) var answer: Answer
    private var probabilities: [Float] = []

    init(_ arguments: Arguments, session: borrowing Session) throws(CommandError) {
        style = try Self.style(arguments, session: session)
        answer = style.emptyAnswer()
    }

    /// Refuses options that have no effect on how questions are answered.
    static func refuseIdleOptions(_ arguments: Arguments) throws(CommandError) {
        let drawing = ["--top-k", "--top-p", "--seed"]
        if arguments.has("--choices") {
            try arguments.refuse(
                ["--max-tokens", "--temperature", "--draft"] + drawing,
                "has no effect with --choices, which are scored"
            )
        }
        if try arguments.float("--temperature", default: 0, in: 0...100) == 0 {
            try arguments.refuse(drawing, "has no effect without --temperature T")
        }
    }

    /// The answers to choose from, as the arguments have them; nil if answers are free.
    static func choices(_ arguments: Arguments) -> [String]? {
        guard let text = arguments.string("--choices") else { return nil }
        var texts: [String] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            texts.append(String(part))
        }
        return texts
    }

    /// Reads the options.
    private static func style(
        _ arguments: Arguments,
        session: borrowing Session
    ) throws(CommandError) -> AnswerStyle {
        let sampling = Sampling(
            temperature: try arguments.float("--temperature", default: 0, in: 0...100),
            topK: try arguments.int("--top-k", default: 0, in: 0...(1 << 20)),
            topP: try arguments.float("--top-p", default: 1, in: 0...1),
            seed: try arguments.int("--seed", default: 0, in: 0...UInt64.max)
        )
        let maximumTokens = try arguments.int("--max-tokens", default: 32, in: 1...4096)
        guard let texts = choices(arguments) else {
            return AnswerStyle(sampling: sampling, maximumTokens: maximumTokens)
        }
        do {
            return AnswerStyle(
                sampling: sampling,
                maximumTokens: maximumTokens,
                choices: try session.choices(texts)
            )
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
        style.answer(prompt, with: &session, probabilities: &probabilities, into: &answer)
    }

    /// Refuses an answer that means nothing.
    static func validate(
        _ answer: Answer,
        _ session: borrowing Session
    ) throws(CommandError) {
        guard !answer.isDefined else { return }
        throw CommandError(
            .badModel,
            "\(session.model.path): the model computes no numbers: its weights hold an infinity or "
                + "a NaN, or the saved state does; take another copy of the file"
        )
    }

    /// The last answer for a reader; with choices, its probability behind it.
    func line(_ session: borrowing Session) -> String {
        Self.line(answer, style: style, session: session)
    }

    /// The last answer for a program.
    func json(question: String, session: borrowing Session) -> [(String, JSON)] {
        Self.json(
            answer,
            probabilities: probabilities,
            style: style,
            question: question,
            session: session
        )
    }

    /// An answer for a reader; with choices, its probability behind it.
    static func line(
        _ answer: Answer,
        style: AnswerStyle,
        session: borrowing Session
    ) -> String {
        let text = answerText(answer, session)
        return style.choices == nil
            ? text : text + "  " + decimal(Double(answer.probability), 3)
    }

    /// An answer for a program.
    static func json(
        _ answer: Answer,
        probabilities: [Float],
        style: AnswerStyle,
        question: String,
        session: borrowing Session
    ) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("question", .string(question)),
            ("answer", .string(answerText(answer, session))),
            ("probability", .number(Double(answer.probability), digits: 6)),
            ("complete", .bool(answer.isComplete)),
            ("tokens", .int(answer.tokens.count)),
            ("frames", .int(session.frameCount)),
            ("rebuildMilliseconds", .number(Double(answer.rebuildNanoseconds) / 1e6, digits: 3)),
            ("promptMilliseconds", .number(Double(answer.promptNanoseconds) / 1e6, digits: 3)),
            ("decodeMilliseconds", .number(Double(answer.decodeNanoseconds) / 1e6, digits: 3)),
        ]
        if session.model.options.draftLength > 0 {
            members.append(("drafted", .int(answer.draftedTokenCount)))
            members.append(("accepted", .int(answer.acceptedTokenCount)))
        }
        if let choices = style.choices {
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

    /// Without a prompt template a text is continued: then every space counts.
    static func answerText(_ answer: Answer, _ session: borrowing Session) -> String {
        session.model.promptTemplate.isPresent ? answer.text : answer.rawText
    }
}
