// SPDX-License-Identifier: Apache-2.0
public import OcellusModels

/// What a session did with the frames that it was shown, counted since its start.
public struct StreamStatistics: Sendable {
    /// Frames that were shown.
    public var framesSeen = 0
    /// Frames that went through the vision encoder; the others had not changed.
    public var framesEncoded = 0
    /// What the convolutions of the encoded frames took (`SessionOptions.reuseThreshold`).
    public var convolutions = ConvolutionWork()
    /// Image tokens that were folded into the state for the first time.
    public var tokensFolded = 0
    /// Image tokens that were not folded, since they or their whole frame had not changed.
    public var tokensSaved = 0
    /// How often the state was rebuilt from kept tokens.
    public var rebuilds = 0
    /// Tokens that were folded again for that.
    public var tokensReplayed = 0

    /// Nothing yet.
    public init() {}

    /// Frames that cost no encoding.
    public var framesUnchanged: Int { framesSeen - framesEncoded }
}
