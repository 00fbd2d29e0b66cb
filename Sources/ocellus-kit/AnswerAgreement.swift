// SPDX-License-Identifier: Apache-2.0

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
        let asked = set.items.flatMap { item in item.questions.map { (item.paths, $0.question) } }
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
        printLine("answers: \(same) of \(questions) are those of the original")
        for difference in different {
            let more = difference.frames.count - 1
            let frames = (difference.frames.first ?? "") + (more > 0 ? " and \(more) more" : "")
            printLine(
                "  \(frames): \(difference.question) "
                    + "\(difference.original.debugDescription) -> "
                    + difference.quantized.debugDescription
            )
        }
    }
}
