// SPDX-License-Identifier: Apache-2.0
public import Ocellus

/// How questions are answered: freely or among choices, greedily or sampled.
public struct AnswerStyle {
    /// How tokens are chosen in a free answer.
    public let sampling: Sampling
    /// The longest free answer.
    public let maximumTokens: Int
    /// The closed set of answers, if there is one.
    public let choices: Choices?

    /// Free greedy answers, unless said otherwise.
    public init(sampling: Sampling = .greedy, maximumTokens: Int = 32, choices: Choices? = nil) {
        self.sampling = sampling
        self.maximumTokens = maximumTokens
        self.choices = choices
    }

    /// An answer with room for all that may come.
    public func emptyAnswer() -> Answer {
        var capacity = maximumTokens
        if let choices { capacity = max(capacity, choices.maximumTokenCount) }
        return Answer(capacity: capacity)
    }

    /// Answers a question; `probabilities` gets those of the choices.
    public func answer(
        _ prompt: Prompt,
        with session: inout Session,
        probabilities: inout [Float],
        into answer: inout Answer
    ) {
        if let choices {
            session.answer(prompt, choices: choices, probabilities: &probabilities, into: &answer)
        } else {
            session.answer(
                prompt,
                sampling: sampling,
                maximumTokens: maximumTokens,
                into: &answer
            )
        }
    }
}
