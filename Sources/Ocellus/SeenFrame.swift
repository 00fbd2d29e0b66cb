// SPDX-License-Identifier: Apache-2.0

/// What became of a frame that a session was shown.
public struct SeenFrame: Sendable {
    /// The change since the last encoded frame, from 0 to 255 (`SessionOptions.unchangedThreshold`); nil
    /// for the first frame, and without a threshold.
    public var change: Float?
    /// Whether the frame was encoded and remembered; if not, the state is as before.
    public var isEncoded = true
    /// How long the stages took.
    public var times = FrameTimes()

    /// No frame yet.
    public init() {}
}
