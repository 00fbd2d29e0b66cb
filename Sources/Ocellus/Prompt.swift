// SPDX-License-Identifier: Apache-2.0

/// A question as the model reads it: tokens, ready to be asked many times without allocating.
public struct Prompt: Sendable {
    /// The tokens, the model's prompt template included.
    public let tokens: [Int]
}
