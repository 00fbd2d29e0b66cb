// SPDX-License-Identifier: Apache-2.0
import CLibc
import Ocellus
import OcellusCommand

/// `ocellus ask`: answers questions about a picture or a clip, or continues a text.
struct AskCommand {
    static let help = """
        usage: ocellus ask --model DIR --image FILE ... | --video FILE [options] "question" ...
               ocellus ask --model DIR [options] "text" ...

        Folds a picture or the frames of a clip into the model's state once, then answers each
        question from there. Without a picture it continues each text, in which every space counts.

          --image FILE        a JPEG, PNG or PPM picture; repeated, they are seen in this order
          --video FILE        a clip: Y4M, a folder of pictures, or anything that ffmpeg reads; - for
                              a picture or a clip from standard input
          --frames N          frames of the clip, evenly spread, 1 to 100000 (default: as many as
                              the model was trained on, or 6 if its file does not say)
          --every TIME        one frame per TIME instead: 500ms, 2.5s, 1m, 1h, or seconds
          --crop X,Y,W,H      look only at this part of each picture, in its pixels (default: all)
          --template          without a picture: ask the text as a question all the same, in the
                              prompt template of the model's file
          --json              one JSON object per question
          --stats             times and memory on standard error
        \(Questioner.help)
        \(ModelOptions.help)

        examples:
          ocellus ask --model models/ommatidium --image cat.jpg "Is there a cat?" "Where is it?"
          ocellus ask --model models/ommatidium --video street.mp4 "Which way did the car move?"
          ocellus ask --model models/ommatidium --image cat.jpg --choices yes,no "Is there a dog?"
          ocellus ask --model models/mamba-130m --max-tokens 40 "The capital of France is"

        exit codes: 0 every question was answered about all of the pictures; 65 a clip is damaged, or
        a picture of a folder, and what could be read was answered about; others as in ocellus --help
        """

    private let arguments: Arguments

    init(_ texts: [String]) throws(CommandError) {
        arguments = try Arguments(
            texts,
            options: ModelOptions.options + Questioner.options + [
                Option("--image", "FILE", isRepeatable: true), Option("--video", "FILE"),
                Option("--frames", "N"), Option("--every", "TIME"),
                Option("--crop", "X,Y,W,H"), Option("--template"), Option("--json"),
                Option("--stats"),
            ],
            command: "ask"
        )
        guard !arguments.positional.isEmpty else {
            throw .usage(
                "no question and no text given: ocellus ask --model DIR --image FILE \"question\""
            )
        }
        guard !arguments.has("--image") || !arguments.has("--video") else {
            throw .usage("--image and --video exclude each other")
        }
        try Questioner.refuseIdleOptions(arguments)
        if arguments.has("--image") || arguments.has("--video") {
            try arguments.refuse(["--template"], "has no effect with a picture: it is always used")
        } else {
            try arguments.refuse(
                ["--crop", "--max-frame", "--unchanged", "--reuse", "--memory"],
                "belongs to --image or --video"
            )
        }
    }

    func run() throws(CommandError) {
        let questions = arguments.positional
        let crop = try FrameInput.crop(arguments)
        var input = try FrameInput(arguments)
        var model = try ModelOptions.open(arguments, frame: input.maximumFrame)
        if arguments.has("--template") {
            guard model.promptTemplate.isPresent else {
                throw .usage("--template: \(model.path) has none; without it the text is continued")
            }
        } else if input.maximumFrame == nil {
            if model.promptTemplate.isPresent, questions.contains(where: { $0.hasSuffix("?") }) {
                writeNote(
                    "ocellus: a text without --image or --video is continued; as a question: "
                        + "--template"
                )
            }
            model.promptTemplate = .none
        }
        var session = try ModelOptions.start(model)
        var questioner = try Questioner(arguments, session: session)
        let prompts = try Questioner.prompts(questions, session: session)
        var report = Report()
        clibc_give_back_start()
        try input.see(with: &session, crop: crop, report: &report)

        for index in prompts.indices {
            questioner.ask(prompts[index], with: &session)
            try Questioner.validate(questioner.answer, session)
            report.add(questioner.answer)
            writeLine(
                arguments.has("--json")
                    ? JSON.object(
                        questioner.json(question: questions[index], session: session)
                    ).text
                    : questioner.line(session)
            )
        }
        if arguments.has("--stats") { report.write(session: session) }
        if let damage = input.damage { throw damage }
    }
}
