// SPDX-License-Identifier: Apache-2.0

/// How long the stages of one frame took, in nanoseconds.
public struct FrameTimes: Sendable {
    /// Resizing and normalising the picture.
    public var preprocess: Int64 = 0
    /// The vision encoder.
    public var encode: Int64 = 0
    /// The projector.
    public var project: Int64 = 0
    /// Folding the image tokens into the live state.
    public var fold: Int64 = 0

    /// No time yet.
    public init() {}

    /// All of it.
    public var total: Int64 { preprocess + encode + project + fold }
}
