// SPDX-License-Identifier: Apache-2.0
public import OcellusImage

/// The settings that decide how much memory a session takes.
public struct SessionOptions: Sendable {
    /// How many threads compute, the caller's included.
    public var threadCount: Int
    /// The most tokens of one run through the decoder; longer prefills run in chunks, exactly.
    public var chunkLength: Int
    /// The largest frame that `see` takes, in pixels.
    public var maximumFrame: ImageSize

    /// The defaults fit a small board and pictures up to full HD.
    public init(
        threadCount: Int = 1,
        chunkLength: Int = 64,
        maximumFrame: ImageSize = ImageSize(width: 1920, height: 1080)
    ) {
        self.threadCount = threadCount
        self.chunkLength = chunkLength
        self.maximumFrame = maximumFrame
    }
}
