// SPDX-License-Identifier: Apache-2.0
public import OcellusCapture
public import OcellusImage

/// How a stream is watched.
public struct WatchSettings: Sendable {
    /// When the questions are asked.
    public enum Occasion: Sendable {
        /// After each frame.
        case everyFrame
        /// After each frame that was encoded: where nothing changed, no answer does.
        case change
    }

    /// When the questions are asked.
    public var occasion: Occasion
    /// The time between two frames of a live source; nil takes each that comes.
    ///
    /// Other sources are sampled by their own clock, see `SourceSettings.period`.
    public var period: Duration?
    /// The part of each picture that is looked at.
    public var crop: CropRectangle?
    /// The count of frames after which the watch ends.
    public var frameLimit: Int
    /// The request that ends the watch.
    public var stop: StopSignal?

    /// Every frame, asked about each, until the source ends.
    public init(
        occasion: Occasion = .everyFrame,
        period: Duration? = nil,
        crop: CropRectangle? = nil,
        frameLimit: Int = .max,
        stop: StopSignal? = nil
    ) {
        self.occasion = occasion
        self.period = period
        self.crop = crop
        self.frameLimit = frameLimit
        self.stop = stop
    }
}
