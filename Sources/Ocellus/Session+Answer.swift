// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusKernels
import OcellusMemory
import OcellusModels
import OcellusTokenizer

extension Session {
    /// Makes a question ready to be asked, in the model's prompt template.
    ///
    /// - Throws: `OcellusError.emptyPrompt` if there is no token to read, or, in a template, only spaces.
    public func prompt(_ question: String) throws(OcellusError) -> Prompt {
        let tokens = model.promptTemplate.tokens(of: question, tokenizer: model.tokenizer)
        let isBlank = model.promptTemplate.isPresent && withoutSpaces(question).isEmpty
        guard !tokens.isEmpty, !isBlank else { throw .emptyPrompt }
        return Prompt(tokens: tokens)
    }

    /// Makes a closed set of answers ready to be scored.
    ///
    /// - Throws: `OcellusError.badChoices` if there are none, one has no text, or two are equal.
    public func choices(_ texts: [String]) throws(OcellusError) -> Choices {
        var trimmed: [String] = []
        var tokens: [[Int]] = []
        for text in texts {
            let choice = model.promptTemplate.isPresent ? withoutSpaces(text) : text
            guard !choice.isEmpty, !trimmed.contains(choice) else { throw .badChoices }
            trimmed.append(choice)
            // Answers begin with a space, and end, where the model was trained on prompts.
            tokens.append(
                model.promptTemplate.isPresent
                    ? model.tokenizer.encode(" " + choice, isContinuation: true)
                        + [model.vocabulary.endOfText]
                    : model.tokenizer.encode(choice, isContinuation: true)
            )
        }
        guard !tokens.isEmpty else { throw .badChoices }
        return Choices(texts: trimmed, tokens: tokens)
    }

    /// Answers a question about all that was seen, token by token; the live state stays as it is.
    ///
    /// The answer is overwritten. It has at most `maximumTokens` tokens; if its capacity is as large,
    /// nothing is allocated.
    public mutating func answer(
        _ prompt: Prompt,
        sampling: Sampling = .greedy,
        maximumTokens: Int,
        into answer: inout Answer
    ) {
        answer.clear()
        var random = RandomNumbers(seed: sampling.seed)
        let hidden = read(prompt, into: &answer)
        let start = monotonicNanoseconds()
        // The logits after each token of the last run. Row by row an answer takes what was drafted.
        var logits = nextLogits(after: hidden)
        var row = 0
        drafter.clear()
        for index in 0..<prompt.tokens.count { drafter.append(prompt.tokens[index]) }
        var logProbability: Float = 0
        while answer.tokens.count < maximumTokens {
            let next = logits.rows(row..<row + 1)
            let token = model.sampler.sample(next, sampling, random: &random, in: arena)
            logProbability += next[0, token] - logSumExp(next)
            drafter.append(token)
            if model.vocabulary.isEnd(token) {
                answer.isComplete = true
                break
            }
            answer.tokens.append(token)
            detokenizer.append(token, to: &answer.utf8)
            guard answer.tokens.count < maximumTokens else { break }
            if row < drafter.draft.count, drafter.draft[row] == token {
                answer.acceptedTokenCount += 1
                row += 1
                continue
            }
            if row < drafter.draft.count, let trail { fork.copy(from: trail.state(after: row)) }
            logits = nextLogits(
                after: step(token, atMost: maximumTokens - answer.tokens.count - 1)
            )
            row = 0
            answer.draftedTokenCount += drafter.draft.count
        }
        detokenizer.finish(to: &answer.utf8)
        answer.probability = clibc_exp(logProbability)
        answer.decodeNanoseconds = monotonicNanoseconds() - start
    }

    /// Answers a question with the most probable of the choices; the live state stays as it is.
    ///
    /// The score of a choice is the probability of its tokens, the end of the answer included, so
    /// that one may begin with another. The probabilities are normalised over the choices.
    ///
    /// `probabilities` is overwritten with one per choice, the answer with the best choice and its
    /// probability.
    ///
    /// - Returns: the index of the best choice.
    @discardableResult
    public mutating func answer(
        _ prompt: Prompt,
        choices: Choices,
        probabilities: inout [Float],
        into answer: inout Answer
    ) -> Int {
        answer.clear()
        let hidden = read(prompt, into: &answer)
        let start = monotonicNanoseconds()
        let first = arena[model.states.questionLogits]
        first.copy(from: nextLogits(after: hidden))
        question.copy(from: fork)
        probabilities.removeAll(keepingCapacity: true)
        var best = 0
        for index in choices.tokens.indices {
            probabilities.append(score(choices.tokens[index], firstLogits: first))
            if probabilities[index] > probabilities[best] { best = index }
        }
        let greatest = probabilities[best]
        var sum: Float = 0
        for index in probabilities.indices {
            probabilities[index] = clibc_exp(probabilities[index] - greatest)
            sum += probabilities[index]
        }
        for index in probabilities.indices { probabilities[index] /= sum }
        for token in choices.tokens[best] where token != model.vocabulary.endOfText {
            answer.tokens.append(token)
            detokenizer.append(token, to: &answer.utf8)
        }
        detokenizer.finish(to: &answer.utf8)
        answer.isComplete = true
        answer.probability = probabilities[best]
        answer.decodeNanoseconds = monotonicNanoseconds() - start
        return best
    }

    /// Forks the live state and folds the question into the fork.
    private mutating func read(_ prompt: Prompt, into answer: inout Answer) -> Tensor {
        let begin = monotonicNanoseconds()
        refreshLive()
        let start = monotonicNanoseconds()
        answer.rebuildNanoseconds = start - begin
        fork.copy(from: live)
        let hidden = model.decoder.prefill(prompt.tokens, state: fork, in: arena, on: pool)
        answer.promptNanoseconds = monotonicNanoseconds() - start
        answer.promptTokenCount = prompt.tokens.count
        return hidden
    }

    /// Folds a token into the fork, and at most so many drafted ones behind it; returns the hidden rows
    /// of all.
    private mutating func step(_ token: Int, atMost draftCount: Int) -> Tensor {
        drafter.guess(atMost: draftCount)
        guard let trail, !drafter.draft.isEmpty else {
            return model.decoder.step(token, state: fork, in: arena, on: pool)
        }
        return model.decoder.step(
            token,
            draft: drafter.draft,
            state: fork,
            trail: trail,
            in: arena,
            on: pool
        )
    }

    /// The states between a token and those drafted behind it.
    var trail: StateTrail? {
        guard let planned = model.states.trail else { return nil }
        return StateTrail(layout: model.decoder.stateLayout, elements: arena[planned])
    }

    /// The logarithm of the probability of all tokens of a choice, after the question.
    private func score(_ tokens: [Int], firstLogits: Tensor) -> Float {
        fork.copy(from: question)
        var logits = firstLogits
        var sum: Float = 0
        for index in tokens.indices {
            sum += logits[0, tokens[index]] - logSumExp(logits)
            guard index + 1 < tokens.count else { break }
            logits = nextLogits(
                after: model.decoder.step(tokens[index], state: fork, in: arena, on: pool)
            )
        }
        return sum
    }

    /// The logits of the token after each row; tokens without text never win.
    @_noAllocation @_noLocks
    private func nextLogits(after hidden: Tensor) -> Tensor {
        let logits = model.decoder.logits(of: hidden, in: arena, on: pool)
        for row in 0..<logits.rows {
            for index in 0..<paddingTokens.count { logits[row, paddingTokens[index]] = -.infinity }
        }
        return logits
    }
}

/// log(sum of exp) of a row, without overflow.
@_noAllocation @_noLocks
private func logSumExp(_ row: Tensor) -> Float {
    let greatest = row[0, argmax(row)]
    var sum: Float = 0
    for column in 0..<row.columns { sum += clibc_exp(row[0, column] - greatest) }
    return greatest + clibc_log(sum)
}

/// A text without the spaces around it.
private func withoutSpaces(_ text: String) -> String {
    var bytes = text.utf8[...]
    while bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
    while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
}
