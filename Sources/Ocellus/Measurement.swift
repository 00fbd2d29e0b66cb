// SPDX-License-Identifier: Apache-2.0
public import OcellusKernels

/// How long the parts of a model take on this machine: the raw times of `Session.measure`.
public struct Measurement: Sendable {
    /// What is measured, and how often.
    public struct Options: Sendable {
        /// The tokens of the prompt.
        public var prefillCount = 512
        /// The tokens of the answer.
        public var decodeCount = 64
        /// The runs of prompt and answer; frames run four times as often.
        public var runCount = 5
        /// Whether the calling thread's processor time is counted, not the wall clock: on a busy
        /// machine, and with one thread.
        public var countsProcessorTime = false
        /// Whether the calls of kernels are recorded, once for each stage.
        public var recordsKernels = false

        /// The defaults.
        public init() {}
    }

    /// The times of one stage, one per run, in nanoseconds.
    public struct Stage: Sendable {
        /// What ran.
        public let name: String
        /// How long it took.
        public internal(set) var nanoseconds: [Int64] = []
        /// The kernels of one more run, if they are recorded.
        public internal(set) var profile: KernelProfile?

        init(_ name: String) {
            self.name = name
        }
    }

    /// The kernels that were chosen at start.
    public let instructionSet: String
    /// Reading the prompt.
    public internal(set) var prefill = Stage("prefill")
    /// Reading the prompt, and the logits of the first token of the answer.
    public internal(set) var firstToken = Stage("first token")
    /// Writing the answer.
    public internal(set) var decode = Stage("decode")
    /// Writing the same answer once more, with a draft for each run that is right to its end.
    ///
    /// That is what `SessionOptions.draftLength` can gain at best. No times without drafts.
    public internal(set) var drafted = Stage("drafted")
    /// Reading the bytes of a token's weights, and nothing else: the roof of decoding.
    public internal(set) var read = Stage("read")
    /// How many bytes of weights a token takes.
    public internal(set) var weightByteCount = 0
    /// The stages of a frame, in order; empty without vision.
    public internal(set) var frame: [Stage] = []
}
