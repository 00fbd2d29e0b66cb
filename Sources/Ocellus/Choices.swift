// SPDX-License-Identifier: Apache-2.0

/// A closed set of answers, as tokens.
public struct Choices: Sendable {
    /// The answers as they were given.
    public let texts: [String]
    /// The tokens of each, the end of text included where the model has prompts.
    let tokens: [[Int]]

    /// The count of tokens of the longest.
    public var maximumTokenCount: Int {
        var greatest = 0
        for choice in tokens { greatest = max(greatest, choice.count) }
        return greatest
    }
}
