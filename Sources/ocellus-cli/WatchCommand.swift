// SPDX-License-Identifier: Apache-2.0
import CLibc
import Ocellus
import OcellusCapture
import OcellusCommand
import OcellusImage
import OcellusService

/// `ocellus watch`: answers standing questions about a stream of frames, for as long as it lasts.
struct WatchCommand {
    static let help = """
        usage: ocellus watch --model DIR --source PATH --ask Q [--ask Q2] [options]

        Shows each frame to the model once, and answers every question after it. Memory and the
        cost of an answer do not depend on how long it has watched. Prints one line per answer: the
        time in the stream, the question, the answer. SIGTERM and SIGINT end it in good order.

        which frames:
          --source PATH       a camera, a clip, a folder of pictures, a picture, the address of a
                              stream (rtsp://..., http://..., through ffmpeg; its password is
                              never told), or - for Y4M or PPM frames on standard input
          --every TIME        one frame per TIME: 500ms, 2.5s, 1m, 1h, or a number of seconds, as
                              every TIME here (default 1s); of a live source the newest. Pictures
                              of a folder are that far apart
          --on-change T       each frame of which a part changed by T steps of 255, and the first
                              that stands still again, if the model compares frames; may be used
                              with --every. The others cost no encoding and are not asked about
                              (default: each frame is asked about)
          --count N           stop after N frames (default: at the end of the source)
          --no-wait           end with exit code 66 if the camera or the stream is not there, or is
                              busy, at the start, and do not wait for it
          --crop X,Y,W,H      look only at this part of each picture, in its pixels (default: all)
        which questions:
        \(WatchRules.help)
          --answer WHEN       always: after each frame; change: only if it changed (--unchanged)
                              (default always; change with --on-change)
        \(Questioner.help)
        what is kept:
          --state FILE        restore what was seen from FILE at the start, save it at the end and
                              at intervals. A damaged file is renamed, one of another model refused.
                              Where rules stood, and when they started programs, is in it, too
                              (default: nothing is kept)
          --save-every TIME   the interval (default 1m): a power cut loses no more
        \(KeptFrames.help)
        \(SealOption.help)
        at the start a camera or a server that is not there, or is busy, is waited for, also at 408,
        429 and 5xx of HTTP and RTSP. Any other 4xx ends the watch with exit code 66; so does, after
        eight times in a row (half a minute), what has no video that can be read, or a 4xx after having
        waited. Once pictures came, all of that is waited for.
        what is told: answers on standard output. On standard error what is wrong with the source,
        with advice: of each kind of outage the first, second, fourth, eighth one and so on, so that a
        loose cable fills no disk; bad pictures the first time. --stats counts them all.
          --json              one JSON object per answer: the time, the frame, the answer, its
                              probability, the latency from the picture to the answer, how much
                              the picture changed (for --on-change), the savings; of a live source
                              also what was counted: pictures, bad ones, outages
          --view              the newest picture with its answers, in the whole terminal: half
                              blocks in colour, or sixel graphics if the terminal has them
          --stats             times, savings and memory on standard error, at the end
        \(ModelOptions.help)
        \(CameraOptions.help)

        examples:
          ocellus watch --model models/ommatidium --source street.mp4 --every 1s \\
              --ask "Is there a person?" --ask "How many cars are there?"
          ocellus watch --model models/ommatidium --source /dev/video0 --on-change 4 --json \\
              --choices yes,no --ask "Is there a person?" --when yes --enter 0.8 --leave 0.4 \\
              --hold 3 --min-interval 1m --exec "notify-send person" --state door.state

        exit codes: 0 the source ended, N frames were seen, or a signal asked to stop; 65 a clip is
        damaged, and what could be read was answered about; others as in ocellus --help
        """

    /// Above what the noise of a usual camera does to the mean of a block, see README.md.
    private static let noiseThreshold: Float = 2

    private let arguments: Arguments
    private let rules: WatchRules
    private let source: SourceSettings
    private let settings: WatchSettings
    private let changeThreshold: Float?
    private let keeper: StateKeeper?

    init(_ texts: [String]) throws(CommandError) {
        let arguments = try Arguments(
            texts,
            options: ModelOptions.options + CameraOptions.options + Questioner.options
                + WatchRules.options + KeptFrames.options + [
                    Option("--source", "PATH"), Option("--every", "TIME"),
                    Option("--on-change", "T"),
                    Option("--count", "N"), Option("--no-wait"), Option("--crop", "X,Y,W,H"),
                    Option("--answer", "WHEN"),
                    Option("--state", "FILE"), Option("--save-every", "TIME"), Option("--json"),
                    Option("--view"), Option("--seal"), Option("--stats"),
                ],
            command: "watch"
        )
        try Questioner.refuseIdleOptions(arguments)
        guard arguments.positional.isEmpty else {
            throw .usage("questions follow --ask: --ask \"\(arguments.positional[0])\"")
        }
        guard !arguments.has("--view") || !arguments.has("--json") else {
            throw .usage("--view and --json exclude each other")
        }
        let rules = try WatchRules(arguments)
        let path = try arguments.required("--source", "PATH")
        var changeThreshold: Float?
        if arguments.has("--on-change") {
            guard !arguments.has("--unchanged") else {
                throw .usage("--on-change and --unchanged exclude each other")
            }
            changeThreshold = try arguments.float("--on-change", default: 4, in: 0.01...255)
        }
        var period = try arguments.duration("--every")
        if changeThreshold == nil, period == nil { period = .seconds(1) }
        let stop = try Self.stopSignal()

        source = SourceSettings(
            path: path,
            period: period,
            limit: try ModelOptions.frameLimit(arguments) ?? .standardLimit,
            stop: stop,
            camera: try CameraOptions.settings(arguments),
            awaitsSource: !arguments.has("--no-wait"),
            report: { writeNote("ocellus: " + $0.description) }
        )
        // Before a helper is forked, which would keep what it then has.
        source.hideSecrets()
        if !source.isCamera {
            try arguments.refuse(
                CameraOptions.names,
                "belongs to a camera, and \(source.displayName) is none"
            )
        }
        if !source.isCamera, !source.isAddress {
            try arguments.refuse(["--no-wait"], "belongs to a camera or the address of a stream")
        }
        settings = WatchSettings(
            occasion: try Self.occasion(arguments),
            period: period,
            crop: try FrameInput.crop(arguments),
            frameLimit: try arguments.int("--count", default: .max, in: 1...Int.max),
            stop: stop
        )
        keeper = try Self.keeper(arguments)
        self.arguments = arguments
        self.rules = rules
        self.changeThreshold = changeThreshold
    }

    func run() throws(CommandError) {
        // A reader who leaves ends it, but the state is saved first.
        clibc_outlive_readers()
        // What cannot work shows now, not when somebody is at the door.
        try rules.checkPrograms()
        try KeptFrames.check(arguments)
        if let keeper, let reason = keeper.reasonAgainstSaving() {
            throw CommandError(
                .cannotWrite,
                "the state cannot be saved as \(keeper.path): \(reason)"
            )
        }
        var seal = try SealOption(
            arguments,
            source: source,
            startsPrograms: arguments.has("--exec")
        )
        var frames = try FrameInput.open(source)
        let model = try ModelOptions.open(
            arguments,
            frame: frames.maximumFrame,
            unchangedThreshold: changeThreshold ?? Self.noiseThreshold
        )
        let keepsPictures = arguments.has("--view") || arguments.has("--save-frames")
        if settings.crop == nil, !keepsPictures,
            let side = model.pictureSide
        {
            // The model sees no more of a picture of twice its own size.
            frames.neededSize = ImageSize(width: 2 * side, height: 2 * side)
        }
        var session = try ModelOptions.start(model)
        let questioner = try Questioner(arguments, session: session)
        var loop = WatchLoop(
            questions: try rules.questions(session),
            style: questioner.style,
            settings: settings,
            keeper: keeper
        )
        try restore(&session, &loop)
        var report = Report()
        var kept = try KeptFrames(arguments, maximumFrame: frames.maximumFrame)
        try seal.close(frames)
        var view = try view(of: loop)
        var told = WatchReport(
            answers: view != nil ? .none : arguments.has("--json") ? .json : .lines,
            period: settings.period
        )
        var failure: CommandError?
        clibc_give_back_start()
        do throws(CommandError) {
            while let event = try Self.next(&loop, &frames, &session) {
                switch event {
                case .frame(let seen): report.add(seen.times)
                case .answered:
                    try Questioner.validate(loop.answer, session)
                    report.add(loop.answer)
                    kept?.keep(loop, session)
                case .skipped, .commandEnded, .saved, .notSaved: break
                }
                let counted = frames.statistics
                told.tell(event, loop, session, capture: counted, file: kept?.file)
                view?.show(event, loop, session, kept: kept?.archive)
            }
        } catch {
            failure = error
        }
        view = nil  // the terminal is the user's again
        // What was seen before a source failed is kept, too.
        do {
            try loop.finish(session)
        } catch {
            throw CommandError(error)
        }
        if let failure { throw failure }
        let isStopped = settings.stop?.isRaised ?? false
        guard loop.frameCount > 0 || isStopped else {
            throw CommandError(.badInput, "\(source.displayName) has no frames")
        }
        guard arguments.has("--stats") else { return }
        if let statistics = frames.statistics { WatchReport.write(statistics) }
        report.write(session: session)
    }

    /// Takes the terminal, if the user wants to see the pictures.
    private func view(of loop: WatchLoop) throws(CommandError) -> WatchView? {
        guard arguments.has("--view") else { return nil }
        var questions: [String] = []
        for question in loop.questions { questions.append(question.text) }
        return try WatchView(source: source.displayName, questions: questions)
    }

    /// Restores what an earlier run saved, and tells what it found unless all is well.
    private func restore(
        _ session: inout Session,
        _ loop: inout WatchLoop
    ) throws(CommandError) {
        guard let keeper else { return }
        do {
            switch try loop.restore(&session) {
            case .nothing, .restored: break
            case .damaged(let fault, let name):
                writeNote(
                    "ocellus: \(keeper.path): \(fault.description); it is \(name) now, "
                        + "and nothing is remembered"
                )
            }
        } catch {
            throw CommandError(error)
        }
    }

    private static func next(
        _ loop: inout WatchLoop,
        _ frames: inout FrameSource,
        _ session: inout Session
    ) throws(CommandError) -> WatchEvent? {
        do throws(WatchError) {
            return try loop.next(&frames, &session)
        } catch {
            switch error {
            case .capture(let error): throw CommandError(error)
            case .session(let error): throw CommandError(error)
            }
        }
    }

    private static func stopSignal() throws(CommandError) -> StopSignal {
        do {
            return try StopSignal.ofProcess()
        } catch {
            throw CommandError(error)
        }
    }

    private static func occasion(
        _ arguments: Arguments
    ) throws(CommandError) -> WatchSettings.Occasion {
        switch arguments.string("--answer") {
        case nil: return arguments.has("--on-change") ? .change : .everyFrame
        case "always": return .everyFrame
        case "change":
            return .change
        case let other?: throw .usage("--answer '\(other)' is neither always nor change")
        }
    }

    private static func keeper(_ arguments: Arguments) throws(CommandError) -> StateKeeper? {
        let interval = try arguments.duration("--save-every")
        guard let path = arguments.string("--state") else {
            guard interval == nil else { throw .usage("--save-every belongs to --state FILE") }
            return nil
        }
        return StateKeeper(path: path, interval: interval ?? .seconds(60))
    }
}
