// SPDX-License-Identifier: Apache-2.0
import OcellusService
import Testing

@Suite struct HysteresisTests {
    /// The changes that a sequence of answers makes: `+` entered, `-` left, `.` neither.
    private func changes(
        _ condition: Hysteresis,
        _ answers: [(isMatch: Bool, probability: Float)]
    ) -> String {
        var condition = condition
        var text = ""
        for answer in answers {
            switch condition.add(isMatch: answer.isMatch, probability: answer.probability) {
            case .entered: text += "+"
            case .left: text += "-"
            case nil: text += "."
            }
        }
        return text
    }

    private func answers(_ text: String) -> [(isMatch: Bool, probability: Float)] {
        text.map { ($0 == "y", $0 == "y" ? 0.9 : 0) }
    }

    @Test func oneAnswerIsEnoughWithoutHold() {
        #expect(changes(Hysteresis(), answers("nyynn")) == ".+.-.")
    }

    @Test func flickeringAnswersChangeNothing() {
        #expect(changes(Hysteresis(hold: 3), answers("yynyyn")) == "......")
        #expect(changes(Hysteresis(hold: 3), answers("yyynnynnn")) == "..+.....-")
    }

    @Test func stayingTakesLessThanEntering() {
        let condition = Hysteresis(enterProbability: 0.8, leaveProbability: 0.3)
        let doubtful: [(isMatch: Bool, probability: Float)] = [
            (true, 0.7), (true, 0.85), (false, 0.4), (true, 0.2), (true, 0.79),
        ]
        #expect(changes(condition, doubtful) == ".+.-.")
    }
}
