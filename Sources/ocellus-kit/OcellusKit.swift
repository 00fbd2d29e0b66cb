// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CLibc
import Foundation
import OcellusCommand

/// The workstation tools of Ocellus; hosted build only.
@main
struct OcellusKit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ocellus-kit",
        abstract: "Convert published models, look into them, and make them smaller.",
        discussion: """
            Results go to standard output, everything else to standard error. Exit codes: 0 done, 64 \
            wrong command line, 65 bad input, 66 no such file, 71 not enough memory, 74 cannot write, \
            75 stopped by a signal, 78 bad model file.

            examples:
              ocellus-kit convert mamba-130m-hf models/mamba-130m --type q8_0
              ocellus-kit eval models/ommatidium questions.json
              ocellus-kit inspect models/ommatidium/decoder.gguf
              ocellus-kit tokenize --model models/ommatidium "Is there a cat?"
              ocellus-kit trace --model models/ommatidium --image cat.jpg --out trace
              ocellus-kit quantize decoder-f16.gguf decoder.gguf --type q8_0
            """,
        subcommands: [
            ConvertCommand.self, EvalCommand.self, InspectCommand.self, QuantizeCommand.self,
            TokenizeCommand.self, TraceCommand.self,
        ]
    )

    static func main() {
        clibc_begin_program()
        do {
            try checkKernelChoice()
            var command = try parseAsRoot()
            try command.run()
        } catch let error as CommandError {
            end(error)
        } catch {
            guard exitCode(for: error).isSuccess else { exit(withError: error) }
            print(fullMessage(for: error))  // help
        }
        guard unsafe fflush(clibc_stdout()) == 0 && ferror(clibc_stdout()) == 0 else {
            end(CommandError(.cannotWrite, "the results cannot be written to standard output"))
        }
    }

    private static func end(_ error: CommandError) -> Never {
        FileHandle.standardError.write(Data("ocellus-kit: \(printable(error.message))\n".utf8))
        Foundation.exit(error.exitCode.rawValue)
    }
}
