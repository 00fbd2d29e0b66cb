// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusCapture
import OcellusCommand
import OcellusImage
import OcellusMemory

/// The frames that `ask` looks at before it answers: pictures, a clip, or none.
struct FrameInput: ~Copyable {
    private let pictures: [String]
    private var clip: FrameSource?

    /// That a clip ends early, or pictures of a folder were skipped; the rest is answered about.
    private(set) var damage: CommandError?
    private var skippedCount = 0

    /// The size of the largest frame, or nil without frames.
    let maximumFrame: ImageSize?

    init(_ arguments: Arguments) throws(CommandError) {
        let period = try arguments.duration("--every")
        guard period == nil || !arguments.has("--frames") else {
            throw .usage("--frames and --every exclude each other")
        }
        guard let path = arguments.string("--video") else {
            guard period == nil, !arguments.has("--frames") else {
                throw .usage("--frames and --every belong to --video")
            }
            let pictures = arguments.strings("--image")
            guard !pictures.contains("-") else {
                throw .usage("--image takes files; a picture from standard input: --video -")
            }
            maximumFrame = try Self.largest(
                pictures,
                limit: try ModelOptions.frameLimit(arguments) ?? .standardLimit
            )
            self.pictures = pictures
            clip = nil
            return
        }
        var frames: Int?
        if arguments.has("--frames") {
            frames = try arguments.int("--frames", default: 1, in: 1...100_000)
        } else if period == nil {
            frames = try ModelOptions.framesOfTraining(arguments)
        }
        let settings = SourceSettings(
            path: path,
            period: period,
            frameCount: frames,
            limit: try ModelOptions.frameLimit(arguments) ?? .standardLimit
        )
        settings.hideSecrets()
        let source = try Self.open(settings)
        pictures = []
        maximumFrame = source.maximumFrame
        clip = consume source
    }

    /// Folds all frames into the session's state.
    mutating func see(
        with session: inout Session,
        crop: CropRectangle?,
        report: inout Report
    ) throws(CommandError) {
        guard maximumFrame != nil else { return }
        guard let slot = session.frameSlot else {
            throw CommandError(OcellusError.noVision(path: session.model.path))
        }
        for path in pictures {
            let frame: Frame
            do {
                frame = try PictureFile.decode(
                    path,
                    into: slot,
                    limit: session.model.options.maximumFrame
                )
            } catch {
                throw CommandError(error)
            }
            try session.watch(frame, crop: crop)
            report.add(session.lastFrameTimes)
        }
        while let frame = try nextOfClip(into: slot) {
            try session.watch(frame, crop: crop)
            report.add(session.lastFrameTimes)
        }
        guard session.frameCount > 0 else {
            throw CommandError(.badInput, "the clip has no frames")
        }
    }

    /// The region of interest of the arguments.
    static func crop(_ arguments: Arguments) throws(CommandError) -> CropRectangle? {
        guard let text = arguments.string("--crop") else { return nil }
        do {
            return try CropRectangle(parsing: text)
        } catch {
            throw .usage(error.description)
        }
    }

    /// Opens a source of frames.
    static func open(_ settings: SourceSettings) throws(CommandError) -> FrameSource {
        do {
            return try FrameSource.open(settings)
        } catch {
            throw CommandError(error)
        }
    }

    private mutating func nextOfClip(into slot: Bytes) throws(CommandError) -> Frame? {
        while true {
            do throws(CaptureError) {
                return try clip?.next(into: slot)
            } catch {
                switch error {
                case .incomplete:
                    damage = CommandError(error)
                    return nil
                case .image(let cause) where error.isSkippable:
                    // A damaged picture of a folder; the next call goes on behind it.
                    writeNote("ocellus: skipped: " + cause.description)
                    skippedCount += 1
                    damage = CommandError(
                        .badInput,
                        "\(skippedCount == 1 ? "a picture was" : "\(skippedCount) pictures were") "
                            + "skipped; the answers are about the others"
                    )
                default: throw CommandError(error)
                }
            }
        }
    }

    private static func largest(
        _ paths: [String],
        limit: ImageSize
    ) throws(CommandError) -> ImageSize? {
        var largest: ImageSize?
        for path in paths {
            do {
                let size = try PictureFile.size(of: path, limit: limit)
                largest = largest?.union(size) ?? size
            } catch {
                throw CommandError(error)
            }
        }
        return largest
    }
}

extension Session {
    /// Folds a frame into the live state; the error as the program reports it.
    mutating func watch(_ frame: Frame, crop: CropRectangle?) throws(CommandError) {
        do {
            try see(frame, crop: crop)
        } catch {
            throw CommandError(error)
        }
    }
}
