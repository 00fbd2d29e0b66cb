// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusCapture
import OcellusFormat
import OcellusImage
import OcellusMemory
import OcellusQuantization

/// A model that is asked all questions of a set.
struct EvaluationRun: ~Copyable {
    /// The longest answer in tokens.
    private static let maximumTokens = 32
    /// How many frames of a clip are seen if neither the set nor the model says it.
    private static let clipFrameCount = 6

    private let set: EvaluationSet
    private var session: Session
    private let clipFrameCount: Int

    /// Opens a model, with room for the largest frame of the set.
    init(_ set: EvaluationSet, model: String, threads: Int) throws {
        var options = SessionOptions(threadCount: min(threads, 64))
        for item in set.items {
            for frame in item.frames {
                let size = try PictureFile.plannedSize(of: Self.resolve(frame, in: set))
                options.maximumFrame = options.maximumFrame.union(size)
            }
            if let clip = item.clip {
                let source = try FrameSource.open(
                    SourceSettings(path: Self.resolve(clip, in: set), frameCount: 1)
                )
                options.maximumFrame = options.maximumFrame.union(source.maximumFrame)
            }
        }
        // All that can throw comes first: members of a type that cannot be copied are set at once.
        let session = try Session(Model(path: model, options: options))
        let frames = try session.model.decoderFile.int(
            "ocellus.video.frames",
            default: Self.clipFrameCount
        )
        clipFrameCount = min(max(frames, 1), 100_000)
        self.session = session
        self.set = set
    }

    /// Shows the model all items and asks it all questions.
    ///
    /// - Parameter progress: Called after each answer.
    /// - Returns: The most probable answers, question by question.
    /// - Throws: What reading a frame throws, and `OcellusError`.
    mutating func answers(progress: () -> Void = {}) throws -> [String] {
        var answers: [String] = []
        var answer = Answer(capacity: Self.maximumTokens)
        for item in set.items {
            session.reset()
            try see(item)
            for question in item.questions {
                let prompt = try session.prompt(question.question)
                session.answer(prompt, maximumTokens: Self.maximumTokens, into: &answer)
                answers.append(answer.text)
                progress()
            }
        }
        return answers
    }

    /// Answers all questions to learn how much the columns of each matrix matter.
    ///
    /// - Returns: The mean squares of their inputs, by the name of the tensor.
    /// - Throws: As `answers` does.
    mutating func importance() throws -> [String: [Float]] {
        let statistics = InputStatistics()
        _ = try statistics.record { try answers() }
        let decoder = statistics.importance(in: session.model.decoderFile)
        switch session.model.visionFile {
        case .some(let file):
            return decoder.merging(statistics.importance(in: file)) { own, _ in own }
        case .none: return decoder
        }
    }

    private mutating func see(_ item: EvaluationSet.Item) throws {
        guard !item.paths.isEmpty else { return }
        guard let slot = session.frameSlot else {
            throw OcellusError.noVision(path: session.model.path)
        }
        let limit = session.model.options.maximumFrame
        for frame in item.frames {
            let path = Self.resolve(frame, in: set)
            try session.see(PictureFile.decode(path, into: slot, limit: limit))
        }
        guard let clip = item.clip else { return }
        var source = try FrameSource.open(
            SourceSettings(
                path: Self.resolve(clip, in: set),
                frameCount: item.count ?? clipFrameCount,
                limit: limit
            )
        )
        while let frame = try source.next(into: slot) { try session.see(frame) }
    }

    private static func resolve(_ path: String, in set: EvaluationSet) -> String {
        URL(fileURLWithPath: path, relativeTo: set.folder).path
    }
}
