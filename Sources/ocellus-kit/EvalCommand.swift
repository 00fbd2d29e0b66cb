// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `ocellus-kit eval`: how often a model is right.
struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Ask a model questions with known answers.",
        discussion: """
            SET is a JSON list of things to see and to ask, paths relative to it:
              [{"frames": ["cat.jpg"], "questions": [
                  {"question": "Is there a cat?", "answers": ["yes"], "kind": "exist"}]},
               {"clip": "street.mp4", "count": 6, "questions": [...]}]
            A clip is a video or a folder of pictures; "count" frames of it are seen, evenly spread. An \
            item has frames or a clip; without either it asks the decoder alone. An answer is right if it is one of \
            "answers", but for capitals, space around it and a full stop at its end.

            The table has the share of right answers for each kind of question, and the interval in which \
            the true share lies with 95 percent confidence (Wilson's score).

            With --json, one object: kinds (kind: questions, right, accuracy, low, high), all (the same), \
            wrong (seen, question, kind, answers, answer).

            examples:
              ocellus-kit eval models/ommatidium questions.json
              ocellus-kit eval models/ommatidium questions.json --json | python3 -m json.tool
            """
    )

    @Argument(help: "A folder with decoder.gguf and vision.gguf, or a decoder file.")
    var model: String
    @Argument(help: "A JSON list of frames, questions and answers.")
    var set: String
    @Option(help: "Threads that compute; as many as there are cores by default.")
    var threads = ProcessInfo.processInfo.activeProcessorCount
    @Flag(help: "Print one JSON object.")
    var json = false

    /// An answer that is not right.
    private struct Mistake: Encodable {
        var seen: [String]
        var question: String
        var kind: String
        var answers: [String]
        var answer: String
    }

    /// What is printed with `--json`.
    private struct Report: Encodable {
        var kinds: [String: Accuracy] = [:]
        var all = Accuracy()
        var wrong: [Mistake] = []
    }

    func validate() throws {
        guard 1...256 ~= threads else { throw ValidationError("--threads is 1 to 256") }
    }

    func run() throws {
        let set = try EvaluationSet(path: set)
        try set.requireAnswers()
        var bar = ProgressLine(model, total: set.questionCount)
        let given = try describing {
            var run = try EvaluationRun(set, model: model, threads: threads)
            return try run.answers { bar.advance(by: 1) }
        }
        bar.finish()
        let report = judge(given, set)
        if json {
            try printJSON(report)
            return
        }
        let width = max(5, report.kinds.keys.map(\.count).max() ?? 0)
        for (kind, accuracy) in report.kinds.sorted(by: { $0.key < $1.key }) + [("all", report.all)]
        {
            let (low, high) = (accuracy.interval.lowerBound, accuracy.interval.upperBound)
            let line = String(format: "%.3f  %.3f to %.3f", accuracy.share, low, high)
            printLine(
                "\(padded(kind, to: width))  \(line)  \(accuracy.right) of \(accuracy.questions)"
            )
        }
    }

    private func judge(_ given: [String], _ set: EvaluationSet) -> Report {
        var report = Report()
        let asked = set.items.flatMap { item in item.questions.map { (item, $0) } }
        for ((item, question), answer) in zip(asked, given) {
            let right = question.answers
            let kind = question.kind ?? "other"
            let isRight = right.contains { EvaluationSet.plain($0) == EvaluationSet.plain(answer) }
            report.kinds[kind, default: Accuracy()].add(isRight: isRight)
            report.all.add(isRight: isRight)
            guard !isRight else { continue }
            report.wrong.append(
                Mistake(
                    seen: item.paths,
                    question: question.question,
                    kind: kind,
                    answers: right,
                    answer: answer
                )
            )
        }
        return report
    }
}
