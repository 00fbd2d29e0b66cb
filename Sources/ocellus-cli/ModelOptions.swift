// SPDX-License-Identifier: Apache-2.0
import CLibc
import Ocellus
import OcellusCommand
import OcellusFormat
import OcellusImage
import OcellusKernels
import OcellusModels

/// The options that all commands share: which model, how many threads, how large a frame.
enum ModelOptions {
    /// The options as the parser knows them.
    static let options = [
        Option("--model", "DIR"), Option("--threads", "N"), Option("--cores", "LIST"),
        Option("--max-frame", "WxH"), Option("--chunk", "N"), Option("--memory", "POLICY"),
        Option("--unchanged", "T"), Option("--reuse", "T"), Option("--draft", "N"),
    ]

    /// Their explanation in the help of each command.
    static let help = """
          --model DIR         folder with decoder.gguf and vision.gguf, or a decoder file
          --threads N         threads that compute, 1 to 64 (default: the cores that it may use, at
                              most 4)
          --cores LIST        instead, one thread on each of these cores, e.g. 0,1 or 4-7
          --max-frame WxH     largest frame planned for, in pixels, at most 16384x16384 (default
                              1920x1080, or what is larger of the source at the start, up to
                              4096x4096; larger JPEG pictures are read at a half to an eighth)
          --chunk N           most tokens per run through the decoder, 1 to 4096 (default 128)
          --memory POLICY     what is kept of past frames, in constant memory (default: refresh
                              with half the model's horizon, if that was measured, else rolling):
                                rolling     the state, which forgets by itself
                                changes:T   the same, but only image tokens that changed by T,
                                            e.g. 0.1 of their length
                                window:N    exactly the last N frames
                                refresh:N   the last N to 2N - 1 frames, cheaper than window
                                bank:N      N frames; the two most alike neighbours are merged
                                pooled:N    the newest frame whole, N to 2N older ones in one
                                            token and the frame token each (pooled:N:2: in two)
          --unchanged T       a frame costs no encoding if no part of it changed by T steps of
                              255 (0 to 255; default 2 in watch, else 0: each frame is encoded)
          --reuse T           an encoder with convolutions computes again only what blocks of 8 x 8
                              pixels reach that changed by more than T steps of 255 on average;
                              0: the same answers; takes memory for the kept maps (default: all
                              of each picture is computed)
          --draft N           guess up to N tokens of an answer ahead, 1 or 2, from earlier ones:
                              the same answers, sooner where they repeat; takes N states (default 0)
        """

    /// Opens the model that the arguments name, with room for frames of the size that will come.
    static func open(
        _ arguments: Arguments,
        frame: ImageSize? = nil,
        unchangedThreshold: Float? = nil
    ) throws(CommandError) -> Model {
        let path = try arguments.required("--model", "DIR")
        try checkKernelChoice()
        var options = SessionOptions()
        options.threadCount = try arguments.int(
            "--threads",
            default: max(1, min(4, Int(clibc_core_count()))),
            in: 1...64
        )
        if let cores = try cores(arguments) {
            options.cores = cores
            options.threadCount = cores.count
        }
        options.chunkLength = try arguments.int(
            "--chunk",
            default: options.chunkLength,
            in: 1...4096
        )
        options.draftLength = try arguments.int(
            "--draft",
            default: options.draftLength,
            in: 0...MambaDecoder.draftLimit
        )
        options.unchangedThreshold = try arguments.float(
            "--unchanged",
            default: unchangedThreshold ?? options.unchangedThreshold,
            in: 0...255
        )
        if arguments.has("--reuse") {
            options.reuseThreshold = try arguments.float("--reuse", default: 0, in: 0...255)
        }
        options.memory = try memory(arguments) ?? options.memory
        options.maximumFrame = try frameLimit(arguments) ?? options.maximumFrame
        if let frame, !arguments.has("--max-frame") {
            options.maximumFrame = options.maximumFrame.union(frame)
        }
        do {
            return try Model(path: path, options: options)
        } catch {
            throw CommandError(error)
        }
    }

    /// The cores of `--cores`, if it was given.
    private static func cores(_ arguments: Arguments) throws(CommandError) -> [Int]? {
        guard let text = arguments.string("--cores") else { return nil }
        guard !arguments.has("--threads") else {
            throw .usage("--cores and --threads exclude each other")
        }
        var cores: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = ends.first.flatMap({ Int($0) }),
                let last = ends.last.flatMap({ Int($0) }), 0 <= first, first <= last, last < 1024
            else { throw .usage("--cores '\(text)' is no list of cores such as 0,1 or 4-7") }
            cores += first...last
        }
        for (index, core) in cores.enumerated() {
            guard clibc_may_use_core(Int32(core)) != 0 else {
                throw .usage("--cores: core \(core) is not there, or not for this process")
            }
            guard index < 64, !cores[..<index].contains(core) else {
                throw .usage("--cores '\(text)' names a core twice, or more than 64")
            }
        }
        return cores
    }

    /// The policy of `--memory`, if it was given.
    private static func memory(_ arguments: Arguments) throws(CommandError) -> StreamMemory? {
        guard let text = arguments.string("--memory") else { return nil }
        guard let memory = StreamMemory(parsing: text) else {
            throw .usage(
                "--memory '\(text)' is none of rolling, changes:T, window:N, refresh:N, bank:N, "
                    + "pooled:N, pooled:N:2; N is at most \(StreamMemory.frameLimit)"
            )
        }
        return memory
    }

    /// The largest frame of `--max-frame`, if it was given.
    static func frameLimit(_ arguments: Arguments) throws(CommandError) -> ImageSize? {
        guard let text = arguments.string("--max-frame") else { return nil }
        guard let size = ImageSize(parsing: text) else {
            throw .usage(
                "--max-frame '\(text)' is not a size such as 1280x720, at most "
                    + ImageSize.largestLimit.description
            )
        }
        return size
    }

    /// The count of frames of the clips that the model was trained on; 6 if it does not say.
    static func framesOfTraining(_ arguments: Arguments) throws(CommandError) -> Int {
        let model = try open(arguments)
        do {
            return min(max(try model.decoderFile.int("ocellus.video.frames", default: 6), 1), 1000)
        } catch {
            throw CommandError(OcellusError.model(.file(error)))
        }
    }

    /// Starts a session with a model.
    static func start(_ model: consuming Model) throws(CommandError) -> Session {
        do {
            return try Session(model)
        } catch {
            throw CommandError(error)
        }
    }
}

extension ImageSize {
    /// A size as `640x480`, of at most the largest limit.
    init?(parsing text: String) {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = Int(String(parts[0])),
            let height = Int(String(parts[1])), width > 0, height > 0
        else { return nil }
        self.init(width: width, height: height)
        guard fits(in: .largestLimit) else { return nil }
    }
}
