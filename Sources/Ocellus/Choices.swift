// SPDX-License-Identifier: Apache-2.0

/// A closed set of answers, as tokens.
public struct Choices: Sendable {
    /// The answers as they were given.
    public let texts: [String]
    /// The tokens of each, the end of text included where the model has prompts.
    let tokens: [[Int]]
}
