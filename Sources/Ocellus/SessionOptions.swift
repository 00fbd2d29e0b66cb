// SPDX-License-Identifier: Apache-2.0
public import OcellusImage

/// The settings that decide how much memory a session takes.
public struct SessionOptions: Sendable {
    /// How many threads compute, the caller's included.
    public var threadCount: Int
    /// The cores that they run on, one for each thread, by the system's numbers; none: the system
    /// chooses.
    ///
    /// The thread that creates the session stays among them.
    public var cores: [Int]
    /// The most tokens of one run through the decoder; longer prefills run in chunks, exactly.
    public var chunkLength: Int
    /// The most tokens of an answer that are guessed ahead, 0 to 2, from what was read and written
    /// before; the model then reads its weights once for them and its last token together.
    ///
    /// The answers are the same, bit by bit. It pays where answers are long and repeat earlier ones, and
    /// costs this many states of memory.
    public var draftLength: Int
    /// The largest frame that `see` takes, in pixels.
    public var maximumFrame: ImageSize

    /// What is kept of the frames that were seen; nil: what suits the model (`Model.streamMemory`).
    public var memory: StreamMemory?
    /// The least change of a frame that makes it worth encoding, in steps of 1/255 of the range of a
    /// sample; 0 encodes each frame.
    ///
    /// The change is the greatest difference of the mean of a block of 8 x 8 pixels of the encoder's
    /// input, since the last frame that was encoded.
    public var unchangedThreshold: Float
    /// How far the pixels of a block of 8 x 8 of the encoder's input must be, on average, from those that
    /// were encoded before to be encoded again, in steps of 1/255 of the range of a sample; nil: all are.
    ///
    /// The convolutions then compute only what the changed blocks reach, and keep the rest of their maps
    /// from frame to frame in the arena. At 0 the features are the same, bit by bit. For vision encoders
    /// with convolutions; others are refused.
    public var reuseThreshold: Float?

    /// The defaults fit a small board and pictures up to full HD.
    public init(
        threadCount: Int = 1,
        chunkLength: Int = 128,
        maximumFrame: ImageSize = ImageSize(width: 1920, height: 1080),
        memory: StreamMemory? = nil,
        unchangedThreshold: Float = 0,
        reuseThreshold: Float? = nil,
        cores: [Int] = [],
        draftLength: Int = 0
    ) {
        self.threadCount = threadCount
        self.cores = cores
        self.chunkLength = chunkLength
        self.draftLength = draftLength
        self.maximumFrame = maximumFrame
        self.memory = memory
        self.unchangedThreshold = unchangedThreshold
        self.reuseThreshold = reuseThreshold
    }
}
