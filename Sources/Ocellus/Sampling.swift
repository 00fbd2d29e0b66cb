// SPDX-License-Identifier: Apache-2.0

/// How the next token is chosen from the logits.
public struct Sampling: Sendable {
    /// 0 takes the most probable token; higher values flatten the probabilities.
    public var temperature: Float
    /// Only the most probable tokens, this many; 0 means all.
    public var topK: Int
    /// Only the most probable tokens whose probabilities sum to this; 1 means all.
    public var topP: Float
    /// The seed of the random numbers; equal seeds give equal texts.
    public var seed: UInt64

    /// Greedy, the default, is temperature 0.
    public init(temperature: Float = 0, topK: Int = 0, topP: Float = 1, seed: UInt64 = 0) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.seed = seed
    }

    /// Always the most probable token.
    public static let greedy = Sampling()
}
