// SPDX-License-Identifier: Apache-2.0
public import OcellusImage
import OcellusKernels
public import OcellusMemory
import OcellusModels
import OcellusTokenizer

/// A running model: it sees frames, and answers questions about all that it has seen.
///
///     var session = try Session(try Model(path: "models/ommatidium", options: options))
///     try session.see(frame)
///     let question = try session.prompt("Is there a cat?")
///     var answer = Answer(capacity: 16)
///     session.answer(question, maximumTokens: 16, into: &answer)
///     print(answer.text)
///
/// After the initialiser nothing is allocated by `see` and `answer`. A session belongs to one
/// thread at a time.
public struct Session: ~Copyable {
    /// The model and the plan of its memory.
    public let model: Model
    /// The block that the session runs in.
    let arena: Arena
    let pool: ThreadPool

    /// The count of frames seen since the start or the last reset, unchanged ones included.
    public internal(set) var frameCount = 0
    /// What became of the last frame.
    public private(set) var lastFrame = SeenFrame()
    /// What was done with all frames since the start.
    public private(set) var statistics = StreamStatistics()
    /// What the memory holds.
    var position = FrameMemory.Position()
    var detokenizer: Detokenizer
    /// What was read and written, to guess answers ahead.
    var drafter: Drafter
    /// The tokens without text, which are never chosen.
    let paddingTokens: [Int]

    /// Allocates the arena that the model's plan describes, and prepares it.
    ///
    /// - Throws: `OcellusError.memory` if the system has no such block.
    public init(_ model: consuming Model) throws(OcellusError) {
        let arena: Arena
        do {
            arena = try Arena(plan: model.plan)
        } catch {
            throw .memory(error)
        }
        model.vision?.prepare(in: arena)
        pool = ThreadPool(threadCount: model.options.threadCount, cores: model.options.cores)
        detokenizer = Detokenizer(model.vocabulary)
        drafter = Drafter(
            limit: model.decoder.draftLength,
            endOfText: model.vocabulary.endOfText
        )
        let vocabulary = model.vocabulary
        paddingTokens = (0..<model.decoder.configuration.vocabularySize).filter {
            $0 >= vocabulary.count || vocabulary.isPadding($0)
        }
        self.arena = arena
        self.model = model
    }

    /// Where a frame source may put the next picture, so that no frame is copied; nil without
    /// vision.
    public var frameSlot: Bytes? {
        guard let vision = model.vision else { return nil }
        return arena[vision.frameSlot]
    }

    /// Forgets all frames.
    public mutating func reset() {
        live.reset()
        model.vision?.projector.reset(in: arena)
        model.vision?.encoder.forget(in: arena)
        frameCount = 0
        position = FrameMemory.Position()
        switch model.memory {
        case .pooled(_, _, let base): state(base).reset()
        case .rolling, .changes, .window, .refresh, .bank: break
        }
    }

    /// How long the stages of the last frame took.
    public var lastFrameTimes: FrameTimes { lastFrame.times }

    /// Shows a frame, or the part of it that `crop` names, to the session, which remembers it as its
    /// `StreamMemory` says.
    ///
    /// A frame that has not changed (`SessionOptions.unchangedThreshold`) leaves the state as it is;
    /// `lastFrame` tells.
    ///
    /// - Throws: `OcellusError.noVision` for a model without vision, `.image` for a frame that is
    ///   larger than planned or a crop outside it; the live state is then as before.
    public mutating func see(
        _ frame: Frame,
        crop: CropRectangle? = nil
    ) throws(OcellusError) {
        guard let vision = model.vision else { throw .noVision(path: model.path) }
        do {
            try vision.preprocessor.validate(frame.size, crop: crop)
        } catch {
            throw .image(error)
        }
        var (position, statistics) = (self.position, self.statistics)
        lastFrame = look(
            at: frame,
            crop: crop,
            vision: vision,
            position: &position,
            statistics: &statistics
        )
        (self.position, self.statistics) = (position, statistics)
        frameCount += 1
    }

    /// Brings the live state up to date with the memory, before it is used.
    @_noAllocation @_noLocks
    mutating func refreshLive() {
        var (position, statistics) = (self.position, self.statistics)
        rebuild(&position, &statistics)
        (self.position, self.statistics) = (position, statistics)
    }

    /// All that was seen.
    var live: DecoderState { state(model.states.live) }
    /// What answers one question.
    var fork: DecoderState { state(model.states.fork) }
    /// The fork after the question.
    var question: DecoderState { state(model.states.question) }

    @_noAllocation @_noLocks
    func state(_ planned: PlannedTensor) -> DecoderState {
        DecoderState(layout: model.decoder.stateLayout, elements: arena[planned])
    }
}
