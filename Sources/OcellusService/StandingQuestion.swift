// SPDX-License-Identifier: Apache-2.0
public import Ocellus

/// A question that is asked again and again.
public struct StandingQuestion {
    /// The question as the user wrote it.
    public let text: String
    /// The question as the model reads it.
    public let prompt: Prompt
    /// What follows from a certain answer.
    public internal(set) var rule: WatchRule?

    let utf8: [UInt8]

    /// A question with or without a rule.
    public init(_ text: String, prompt: Prompt, rule: WatchRule? = nil) {
        self.text = text
        self.prompt = prompt
        self.rule = rule
        utf8 = Array(text.utf8)
    }
}
