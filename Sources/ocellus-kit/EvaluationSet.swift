// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusCommand
import OcellusConversion
import OcellusFormat

/// What to see and what to ask about it, from a JSON file.
struct EvaluationSet {
    /// Frames that are seen one after the other, and the questions that follow.
    struct Item {
        /// Paths of pictures, relative to the file.
        var frames: [String] = []
        /// The path of a video or a folder of pictures, relative to the file; not beside frames.
        var clip: String?
        /// How many frames of the clip are seen, evenly spread; what the model was trained with by
        /// default.
        var count: Int?
        var questions: [Question]

        /// All that is seen, for messages.
        var paths: [String] { frames + (clip.map { [$0] } ?? []) }
    }

    /// A question; in a file an object, or the text alone.
    struct Question {
        var question: String
        /// The answers that are right; none if only agreement is asked for.
        var answers: [String] = []
        /// The kind that it is counted under.
        var kind: String?
    }

    let path: String
    let items: [Item]
    /// The folder that paths are relative to.
    let folder: URL

    /// Reads a file.
    ///
    /// - Throws: `CommandError` with the file, the item and the key that is wrong.
    init(path: String) throws {
        do {
            let json = try JSONReader.read(path: path)
            guard let list = json.array else {
                throw CommandError(
                    .badInput,
                    "\(path): should hold a list of {\"frames\": [...], \"questions\": [...]}, holds "
                        + json.summary
                )
            }
            items = try list.enumerated().map { index, value in
                try Item(ModelSettings(path: path, value, of: "item \(index)"))
            }
        } catch let error as ConversionError {
            throw CommandError(.badInput, error.description)
        } catch let error as ModelFileError {
            throw CommandError(error)
        }
        guard items.contains(where: { !$0.questions.isEmpty }) else {
            throw CommandError(.badInput, "\(path): there is no question")
        }
        self.path = path
        folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    }

    /// The count of questions.
    var questionCount: Int { items.map(\.questions.count).reduce(0, +) }

    /// Refuses a question without answers that are right.
    func requireAnswers() throws {
        for (index, item) in items.enumerated() {
            for question in item.questions where question.answers.isEmpty {
                throw CommandError(
                    .badInput,
                    "\(path): item \(index): '\(question.question)' has no \"answers\""
                )
            }
        }
    }

    /// An answer without what does not matter.
    static func plain(_ answer: String) -> String {
        var text = answer.lowercased().trimmingCharacters(in: .whitespacesAndNewlines)
        if text.last == "." { text.removeLast() }
        return text
    }
}

extension EvaluationSet.Item {
    fileprivate init(_ settings: ModelSettings) throws(ConversionError) {
        try settings.refuseKeys(besides: ["frames", "clip", "count", "questions"])
        frames = try settings.texts("frames")
        if settings.has("clip") {
            clip = try settings.text("clip")
            guard frames.isEmpty else {
                throw settings.bad("clip", "alone, without 'frames'", try settings.value("clip"))
            }
        } else if settings.has("frames"), frames.isEmpty {
            let value = try settings.value("frames")
            throw settings.bad("frames", "a list of at least one path", value)
        }
        if settings.has("count") {
            let value = try settings.value("count")
            guard clip != nil else { throw settings.bad("count", "beside 'clip'", value) }
            guard let count = value.int, 1...100_000 ~= count else {
                throw settings.bad("count", "a whole number from 1 to 100000", value)
            }
            self.count = count
        }
        _ = try settings.value("questions")
        questions = []
        for (index, value) in try settings.list("questions").enumerated() {
            guard let text = value.string else {
                questions.append(
                    try EvaluationSet.Question(settings.element("questions.\(index)", value))
                )
                continue
            }
            guard !EvaluationSet.plain(text).isEmpty else {
                throw settings.bad("questions.\(index)", "a text that is not empty", value)
            }
            questions.append(EvaluationSet.Question(question: text))
        }
    }
}

extension EvaluationSet.Question {
    fileprivate init(_ settings: ModelSettings) throws(ConversionError) {
        try settings.refuseKeys(besides: ["question", "answers", "kind"])
        question = try settings.text("question")
        guard !EvaluationSet.plain(question).isEmpty else {
            throw settings.bad("question", "a text that is not empty", .string(question))
        }
        answers = try settings.texts("answers")
        for (index, answer) in answers.enumerated()
        where EvaluationSet.plain(answer).isEmpty {
            throw settings.bad("answers.\(index)", "an answer that is not empty", .string(answer))
        }
        guard settings.has("kind") else { return }
        let name = try settings.text("kind")
        guard !name.isEmpty else {
            throw settings.bad("kind", "a text that is not empty", .string(name))
        }
        kind = name
    }
}
