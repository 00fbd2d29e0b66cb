// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusCommand

/// Runs the command that the arguments name.
func runProgram(_ texts: [String]) throws(CommandError) {
    guard let command = texts.first else {
        writeNote(programHelp)
        throw .usage("no command given")
    }
    let rest = Array(texts.dropFirst())
    let help: String
    switch command {
    case "ask": help = AskCommand.help
    case "watch": help = WatchCommand.help
    case "plan": help = PlanCommand.help
    case "bench": help = BenchCommand.help
    case "cameras": help = CamerasCommand.help
    case "help", "--help", "-h":
        return writeLine(programHelp)
    case "version", "--version":
        return writeLine("ocellus \(ocellusVersion)")
    default:
        throw .usage("unknown command '\(command)'; see: ocellus --help")
    }
    // Behind `--`, these are texts.
    let options = rest.prefix { $0 != "--" }
    if options.contains("--help") || options.contains("-h") { return writeLine(help) }
    switch command {
    case "ask": try AskCommand(rest).run()
    case "watch": try WatchCommand(rest).run()
    case "plan": try PlanCommand(rest).run()
    case "cameras": try CamerasCommand(rest).run()
    default: try BenchCommand(rest).run()
    }
}

/// The version of the program and the library.
let ocellusVersion = "0.1.0"

let programHelp = """
    ocellus - a small board looks through its camera and answers questions

    usage: ocellus COMMAND [options]

      ask      answer questions about a picture or a clip, or continue a text
      watch    answer standing questions about a stream of frames, line by line
      plan     show the exact memory of a model before anything is loaded
      cameras  list the cameras, their formats and what can be adjusted
      bench    measure tokens per second and milliseconds per frame

    examples:
      ocellus ask --model models/ommatidium --image cat.jpg "Is there a cat?"
      ocellus watch --model models/ommatidium --source /dev/video0 --ask "Is there a person?"
      ocellus plan --model models/ommatidium

    ocellus COMMAND --help explains a command, with more examples.
    Answers go to standard output, everything else to standard error.

    exit codes: 0 success, 64 wrong command line, 65 bad picture, clip or state,
    66 file missing or unreadable, 69 a program is missing (ffmpeg, or that of a rule), 70 a
    mistake in a sealed program, 71 not enough memory, 74 results, a state or pictures cannot be
    written, 78 bad model
    """

do throws(CommandError) {
    clibc_begin_program()
    // Answers reach a reader line by line, also through a pipe.
    unsafe setvbuf(clibc_stdout(), nil, _IOLBF, 0)
    try runProgram(Arguments.ofProcess())
    guard flushOutput() else {
        throw CommandError(.cannotWrite, "the results cannot be written to standard output")
    }
    exit(ExitCode.success.rawValue)
} catch {
    _ = flushOutput()
    writeNote("ocellus: " + error.message)
    exit(error.exitCode.rawValue)
}
