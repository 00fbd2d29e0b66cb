// SPDX-License-Identifier: Apache-2.0

/// How many answers are right, with the interval that the true share lies in with 95 percent confidence.
struct Accuracy: Encodable {
    private(set) var questions = 0
    private(set) var right = 0

    private enum CodingKeys: String, CodingKey {
        case questions, right, accuracy, low, high
    }

    /// The share of right answers.
    var share: Double { Double(right) / Double(max(questions, 1)) }

    /// The interval of Wilson's score, which holds for few answers and for shares near 0 and 1.
    ///
    /// - Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    var interval: ClosedRange<Double> {
        guard questions > 0 else { return 0...1 }
        let (n, z) = (Double(questions), 1.959964)
        let center = (share + z * z / (2 * n)) / (1 + z * z / n)
        let variance = share * (1 - share) / n + z * z / (4 * n * n)
        let half = z * variance.squareRoot() / (1 + z * z / n)
        return max(0, center - half)...min(1, center + half)
    }

    /// Counts an answer.
    mutating func add(isRight: Bool) {
        questions += 1
        right += isRight ? 1 : 0
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(questions, forKey: .questions)
        try container.encode(right, forKey: .right)
        try container.encode(share, forKey: .accuracy)
        try container.encode(interval.lowerBound, forKey: .low)
        try container.encode(interval.upperBound, forKey: .high)
    }
}
