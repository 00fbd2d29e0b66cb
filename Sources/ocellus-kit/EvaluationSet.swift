// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusCommand

/// What to see and what to ask about it, from a JSON file.
struct EvaluationSet {
    /// Frames that are seen one after the other, and the questions that follow.
    struct Item: Decodable {
        /// Paths of pictures, relative to the file.
        var frames: [String]?
        /// The path of a video or a folder of pictures, relative to the file.
        var clip: String?
        /// How many frames of the clip are seen, evenly spread; what the model was trained with by
        /// default.
        var count: Int?
        var questions: [Question]

        /// All that is seen, for messages.
        var paths: [String] { (frames ?? []) + (clip.map { [$0] } ?? []) }
    }

    /// A question; in a file an object, or the text alone.
    struct Question: Decodable {
        var question: String
        /// The answers that are right; nil if only agreement is asked for.
        var answers: [String]?
        /// The kind that it is counted under.
        var kind: String?

        private enum CodingKeys: String, CodingKey {
            case question, answers, kind
        }

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                question = text
                return
            }
            let container = try decoder.container(keyedBy: CodingKeys.self)
            question = try container.decode(String.self, forKey: .question)
            answers = try container.decodeIfPresent([String].self, forKey: .answers)
            kind = try container.decodeIfPresent(String.self, forKey: .kind)
        }
    }

    let path: String
    let items: [Item]
    /// The folder that paths are relative to.
    let folder: URL

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
        for (index, item) in items.enumerated() {
            guard item.count.map({ 1...100_000 ~= $0 }) ?? true else {
                throw CommandError(.badInput, "\(path): item \(index): 'count' is 1 to 100000")
            }
        }
        self.path = path
        folder = url.deletingLastPathComponent()
    }

    /// The count of questions.
    var questionCount: Int { items.map(\.questions.count).reduce(0, +) }

    /// Refuses a question without answers that are right.
    func requireAnswers() throws {
        for (index, item) in items.enumerated() {
            for question in item.questions where question.answers?.isEmpty ?? true {
                throw CommandError(
                    .badInput,
                    "\(path): item \(index): '\(question.question)' has no \"answers\""
                )
            }
        }
    }
}
