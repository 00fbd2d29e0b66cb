// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Ocellus
import OcellusCommand
import OcellusFormat
import OcellusTokenizer

/// `ocellus-kit tokenize`: how a model cuts a text.
struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Show the tokens of a text.",
        discussion: """
            One line per token: its id, then its text in quotes. A token that is a part of a character \
            shows as U+FFFD. Without --special, the names of special tokens in the text are plain \
            text, as in a question that a user types.

            With --json, one object: ids, pieces.

            examples:
              ocellus-kit tokenize --model models/ommatidium "Is there a cat?"
              ocellus-kit tokenize --model decoder.gguf --special "<|question|> Yes?<|answer|>"
              ocellus-kit tokenize --model decoder.gguf - < story.txt
            """
    )

    /// What is printed with `--json`.
    private struct Report: Encodable {
        var ids: [Int]
        var pieces: [String]
    }

    @Option(help: "A folder with decoder.gguf, or a GGUF file with a vocabulary.")
    var model: String
    @Flag(help: "Read the names of special tokens as those tokens.")
    var special = false
    @Flag(help: "Print one JSON object.")
    var json = false
    @Argument(help: "The text, or - for standard input; ill-formed UTF-8 becomes U+FFFD.")
    var text: String

    func run() throws {
        let vocabulary = try describing { try openVocabulary() }
        let tokenizer = Tokenizer(vocabulary: vocabulary)
        let ids =
            text == "-"
            ? tokenizer.encode(try standardInput(), parsingSpecial: special)
            : tokenizer.encode(text, parsingSpecial: special)
        let pieces = ids.map(vocabulary.piece(of:))
        if json {
            try printJSON(Report(ids: ids, pieces: pieces))
            return
        }
        let width = ids.map { "\($0)".count }.max() ?? 0
        for (id, piece) in zip(ids, pieces) {
            print("\(padded("", to: width - "\(id)".count))\(id)  \(piece.debugDescription)")
        }
    }

    private func standardInput() throws -> [UInt8] {
        do {
            return Array(try FileHandle.standardInput.readToEnd() ?? Data())
        } catch {
            let reason = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            throw CommandError(
                .noInput,
                "standard input cannot be read: \((reason ?? error).localizedDescription)"
            )
        }
    }

    private func openVocabulary() throws -> Vocabulary {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: model, isDirectory: &isFolder)
        let file = try ModelFile(path: isFolder.boolValue ? model + "/decoder.gguf" : model)
        return try Vocabulary(file: file)
    }
}
