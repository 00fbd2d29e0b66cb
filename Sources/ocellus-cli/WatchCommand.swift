// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusCapture
import OcellusImage
import OcellusMemory

/// `ocellus watch`: answers standing questions about a stream of frames.
struct WatchCommand {
    static let help = """
        usage: ocellus watch --model DIR --source PATH --ask Q [--ask Q2] [options]

        Folds each frame into the model's state once, and answers every question after it. The
        state does not grow, so the cost of an answer does not depend on how long it has watched.
        Prints one line per answer: the time in the clip, the question, the answer.

          --source PATH       a clip, a folder of pictures, a picture, or - for Y4M or PPM frames
                              on standard input
          --ask Q             a question; repeatable
          --every TIME        one frame per TIME, e.g. 500ms (default 1s)
          --count N           stop after N frames
          --crop X,Y,W,H      look only at this part of each picture, in its pixels
          --json              one JSON object per answer
          --stats             times and memory on standard error, at the end
        \(Questioner.help)
        \(ModelOptions.help)

        example:
          ocellus watch --model models/ommatidium --source street.mp4 --every 1s \\
              --ask "Is there a person?" --ask "How many cars are there?"
        """

    private let arguments: Arguments
    private let questions: [String]
    private let source: SourceSettings

    init(_ texts: [String]) throws(CommandError) {
        arguments = try Arguments(
            texts,
            options: ModelOptions.options + Questioner.options + [
                Option("--source", "PATH"), Option("--ask", "Q"), Option("--every", "TIME"),
                Option("--count", "N"), Option("--crop", "X,Y,W,H"), Option("--json"),
                Option("--stats"),
            ],
            command: "watch"
        )
        guard arguments.positional.isEmpty else {
            throw .usage("questions follow --ask: --ask \"\(arguments.positional[0])\"")
        }
        questions = arguments.strings("--ask")
        guard !questions.isEmpty else { throw .usage("--ask is missing: --ask \"question\"") }
        source = SourceSettings(
            path: try arguments.required("--source", "PATH"),
            period: try arguments.duration("--every") ?? .seconds(1),
            limit: try ModelOptions.frameLimit(arguments) ?? .standardLimit
        )
    }

    func run() throws(CommandError) {
        let limit = try arguments.int("--count", default: Int.max, in: 1...Int.max)
        let crop = try FrameInput.crop(arguments)
        var frames = try FrameInput.open(source)
        let model = try ModelOptions.open(arguments, frame: frames.maximumFrame)
        var session = try ModelOptions.start(model)
        guard let slot = session.frameSlot else {
            throw CommandError(OcellusError.noVision(path: session.model.path))
        }
        var questioner = try Questioner(arguments, session: session)
        let prompts = try Questioner.prompts(questions, session: session)
        var report = Report()
        while session.frameCount < limit, let frame = try Self.next(of: &frames, into: slot) {
            try session.watch(frame, crop: crop)
            report.add(session.lastFrameTimes)
            for index in prompts.indices {
                questioner.ask(prompts[index], with: &session)
                report.add(questioner.answer)
                write(questioner, question: questions[index], frame: frame, session: session)
            }
        }
        guard session.frameCount > 0 else {
            throw CommandError(.badInput, "\(source.path) has no frames")
        }
        if arguments.has("--stats") { report.write(session: session) }
    }

    private func write(
        _ questioner: Questioner,
        question: String,
        frame: Frame,
        session: borrowing Session
    ) {
        guard arguments.has("--json") else {
            return writeLine(
                "\(clock(frame.timestamp))  \(question)  \(questioner.line(session))"
            )
        }
        let seconds =
            Double(frame.timestamp.components.seconds)
            + Double(frame.timestamp.components.attoseconds) / 1e18
        writeLine(
            JSON.object(
                [("seconds", .number(seconds, digits: 3)), ("frame", .int(frame.number))]
                    + questioner.json(question: question, session: session)
            ).text
        )
    }

    private static func next(
        of frames: inout FrameSource,
        into slot: Bytes
    ) throws(CommandError) -> Frame? {
        while true {
            do throws(CaptureError) {
                return try frames.next(into: slot)
            } catch {
                // A folder or a stream may hold a damaged picture; the next one is as good as ever.
                guard case .image = error else { throw CommandError(error) }
                writeNote("ocellus: skipped: " + error.description)
            }
        }
    }
}
