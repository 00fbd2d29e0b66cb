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

    /// The count of frames folded into the live state since the start or the last reset.
    public internal(set) var frameCount = 0
    /// How long the stages of the last frame took.
    public private(set) var lastFrameTimes = FrameTimes()
    var detokenizer: Detokenizer
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
        switch model.vision {
        case .some(let vision):
            vision.encoder.prepare(in: arena)
            vision.projector.prepare(in: arena)
        case .none: break
        }
        pool = ThreadPool(threadCount: model.options.threadCount)
        detokenizer = Detokenizer(model.vocabulary)
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
        switch model.vision {
        case .some(let vision): arena[vision.frameSlot]
        case .none: nil
        }
    }

    /// Forgets all frames.
    public mutating func reset() {
        live.reset()
        switch model.vision {
        case .some(let vision): vision.projector.reset(in: arena)
        case .none: break
        }
        frameCount = 0
    }

    /// Folds a frame, or the part of it that `crop` names, into the live state.
    ///
    /// - Throws: `OcellusError.noVision` for a model without vision, `.image` for a frame that is
    ///   larger than planned or a crop outside it; the live state is then as before.
    public mutating func see(
        _ frame: Frame,
        crop: CropRectangle? = nil
    ) throws(OcellusError) {
        switch model.vision {
        case .some(let vision):
            do {
                try vision.preprocessor.validate(frame.size, crop: crop)
            } catch {
                throw .image(error)
            }
            lastFrameTimes = fold(frame, crop: crop, vision: vision)
            frameCount += 1
        case .none:
            throw .noVision(path: model.path)
        }
    }

    @_noAllocation @_noLocks
    private func fold(
        _ frame: Frame,
        crop: CropRectangle?,
        vision: borrowing Vision
    ) -> FrameTimes {
        let start = monotonicNanoseconds()
        vision.preprocessor.run(frame, crop: crop, into: arena[vision.pixels], in: arena)
        let preprocessed = monotonicNanoseconds()
        let features = vision.encoder.encode(in: arena, on: pool)
        let encoded = monotonicNanoseconds()
        let tokens = vision.projector.project(
            features,
            isFirstFrame: frameCount == 0,
            in: arena,
            on: pool
        )
        let projected = monotonicNanoseconds()
        _ = model.decoder.prefill(embeddings: tokens, state: live, in: arena, on: pool)
        let folded = monotonicNanoseconds()
        var times = FrameTimes()
        times.preprocess = preprocessed - start
        times.encode = encoded - preprocessed
        times.project = projected - encoded
        times.fold = folded - projected
        return times
    }

    /// All that was seen.
    var live: DecoderState { state(model.states.live) }
    /// What answers one question.
    var fork: DecoderState { state(model.states.fork) }
    /// The fork after the question.
    var question: DecoderState { state(model.states.question) }

    private func state(_ planned: PlannedTensor) -> DecoderState {
        DecoderState(layout: model.decoder.stateLayout, elements: arena[planned])
    }
}
