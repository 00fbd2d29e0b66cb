// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusCommand
import OcellusImage

/// Frames to see and questions to ask about them, from a JSON file.
struct EvaluationSet {
    /// Frames that are seen one after the other, and the questions that follow.
    struct Item: Decodable {
        /// Paths, relative to the file.
        var frames: [String]
        var questions: [String]
    }

    /// The longest answer in tokens.
    private static let maximumTokens = 32

    let items: [Item]
    private let folder: URL

    /// Reads a file.
    init(path: String) throws {
        let url = URL(fileURLWithPath: path)
        guard let data = try? Data(contentsOf: url) else {
            throw CommandError(.noInput, "\(path): cannot be read")
        }
        do {
            items = try JSONDecoder().decode([Item].self, from: data)
        } catch {
            throw CommandError(
                .badInput,
                "\(path): not a list of {\"frames\": [...], \"questions\": [...]}: \(error)"
            )
        }
        guard items.contains(where: { !$0.questions.isEmpty }) else {
            throw CommandError(.badInput, "\(path): there is no question")
        }
        folder = url.deletingLastPathComponent()
    }

    /// The most probable answers of a model, question by question.
    func answers(of model: String, threads: Int) throws -> [String] {
        let paths = items.map { item in
            item.frames.map { URL(fileURLWithPath: $0, relativeTo: folder).path }
        }
        var options = SessionOptions(threadCount: min(threads, 64))
        for path in paths.joined() {
            options.maximumFrame = options.maximumFrame.union(try PictureFile.size(of: path))
        }
        var session = try Session(Model(path: model, options: options))
        var answers: [String] = []
        var answer = Answer(capacity: Self.maximumTokens)
        for (item, paths) in zip(items, paths) {
            session.reset()
            for path in paths {
                guard let slot = session.frameSlot else { throw OcellusError.noVision(path: model) }
                let limit = session.model.options.maximumFrame
                try session.see(PictureFile.decode(path, into: slot, limit: limit))
            }
            for question in item.questions {
                let prompt = try session.prompt(question)
                session.answer(prompt, maximumTokens: Self.maximumTokens, into: &answer)
                answers.append(answer.text)
            }
        }
        return answers
    }
}

/// How often two models answer alike, in the form of its JSON.
struct AnswerAgreement: Encodable {
    /// A question that they answer differently.
    struct Difference: Encodable {
        var frames: [String]
        var question: String
        var original: String
        var quantized: String
    }

    var questions: Int
    var same: Int
    var different: [Difference] = []

    /// Compares the answers to all questions of a set.
    init(_ set: EvaluationSet, original: [String], quantized: [String]) {
        let asked = set.items.flatMap { item in item.questions.map { (item.frames, $0) } }
        questions = asked.count
        for (index, (frames, question)) in asked.enumerated()
        where original[index] != quantized[index] {
            different.append(
                Difference(
                    frames: frames,
                    question: question,
                    original: original[index],
                    quantized: quantized[index]
                )
            )
        }
        same = questions - different.count
    }

    /// Prints the count, then the differences.
    func print() {
        Swift.print("answers: \(same) of \(questions) are those of the original")
        for difference in different {
            let more = difference.frames.count - 1
            let frames = (difference.frames.first ?? "") + (more > 0 ? " and \(more) more" : "")
            Swift.print(
                "  \(frames): \(difference.question) "
                    + "\(difference.original.debugDescription) -> "
                    + difference.quantized.debugDescription
            )
        }
    }
}
