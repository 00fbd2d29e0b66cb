// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Ocellus
import OcellusCapture
import OcellusFormat
import OcellusImage
import OcellusModels

/// `ocellus-kit trace`: writes each stage of a run as NumPy files.
struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Write each stage of a run as NumPy files, to compare with another program.",
        discussion: """
            Files in the output folder, all float32 in C order unless said otherwise:

              pixels.npy      (3, H, W)                      the preprocessed picture
              v.embd.npy      (tokens, width)                embedded patches, class token and registers first
              v.blk.N.npy     (tokens, width)                after block N; v.cnn.N.npy after convolution N;
                                                             v1.*.npy of a second network, and its pixels
              encoder.npy     (cells, dVision)               features of the vision encoder
              projector.npy   (tokens, dModel)               image tokens
              tokens.npy      (tokens), int64                token ids of the text
              logits.npy      (tokens, vocabulary)           after each token of the text
              conv_state.npy  (layers, dConv - 1, channels)  at the end, oldest first
              ssm_state.npy   (layers, dInner, dState)       at the end

            All files are written, or, at an error, SIGINT or SIGTERM, none; what a killed run has left, the next one for
            the same folder removes. Files of an earlier trace that this one does not write stay: a new folder has one trace alone.
            With several pictures, the files are about the last one; the states about all.
            With --json, one object: folder, files (file, shape, dtype).

            examples:
              ocellus-kit trace --model models/ommatidium --image cat.jpg \\
                  --text "Is there a cat?" --out trace
              ocellus-kit trace --model decoder.gguf --tokens 1,2,3 --out trace
              ocellus-kit trace --model vision.gguf --image cat.jpg --out trace
            """
    )

    @Option(help: "Folder with decoder.gguf and vision.gguf, or one of the files.")
    var model: String
    @Option(help: "A picture to see first; repeatable.")
    var image: [String] = []
    @Option(help: "Token ids to read, separated by commas.")
    var tokens: String?
    @Option(help: "A text to read, in the model's prompt template.")
    var text: String?
    @Option(help: "Read the text in chunks of this many tokens; 1 reads step by step.")
    var chunk = 64
    @Option(help: "Threads that compute.")
    var threads = 1
    @Option(name: .customLong("out"), help: "The folder to write to; made if it is missing.")
    var outputPath: String
    @Flag(help: "Print one JSON object.")
    var json = false

    /// What is printed with `--json`.
    private struct Report: Encodable {
        var folder: String
        var files: [NumPyFile.Description]
    }

    func validate() throws {
        guard tokens == nil || text == nil else {
            throw ValidationError("--tokens and --text exclude each other")
        }
        guard tokens?.isEmpty != true else { throw ValidationError("--tokens is empty") }
        guard !image.isEmpty || tokens != nil || text != nil else {
            throw ValidationError("nothing to trace: give --image, --tokens or --text")
        }
        guard 1...4096 ~= chunk, 1...64 ~= threads else {
            throw ValidationError("--chunk is 1 to 4096, --threads 1 to 64")
        }
    }

    func run() throws {
        var options = SessionOptions(threadCount: threads, chunkLength: chunk)
        for path in image {
            let size = try describing { try PictureFile.plannedSize(of: path) }
            options.maximumFrame = options.maximumFrame.union(size)
        }
        let files = try writingTogether(into: outputPath) { folder in
            try isVisionFile() ? traceVision(options, to: folder) : traceModel(options, to: folder)
        }
        if json {
            try printJSON(Report(folder: outputPath, files: files))
        } else {
            print("wrote \(files.count) files to \(outputPath)")
        }
    }

    /// Whether the model is a vision file, without a decoder.
    private func isVisionFile() throws -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: model, isDirectory: &isFolder),
            !isFolder.boolValue
        else { return false }
        return try describing { try ModelFile(path: model).architecture == "clip" }
    }

    private func traceVision(
        _ options: SessionOptions,
        to folder: PartialFolder
    ) throws -> [NumPyFile.Description] {
        guard tokens == nil, text == nil else {
            throw ValidationError("\(model) has no decoder, so it cannot read a text")
        }
        let tracer = try describing { try VisionTracer(path: model, options: options) }
        var files: [NumPyFile.Description] = []
        for path in image {
            let stages = try describing {
                try tracer.trace(
                    PictureFile.decode(path, into: tracer.frameSlot, limit: options.maximumFrame)
                )
            }
            files = try write(stages, to: folder)
        }
        return files
    }

    private func traceModel(
        _ options: SessionOptions,
        to folder: PartialFolder
    ) throws -> [NumPyFile.Description] {
        var session = try describing { try Session(Model(path: model, options: options)) }
        var files: [NumPyFile.Description] = []
        for path in image { files = try write(try see(path, with: &session), to: folder) }
        if let ids = try textTokens(session) {
            files.append(try NumPyFile.write(ids, named: "tokens.npy", to: folder))
            files.append(try read(ids, with: &session, to: folder))
        }
        let state = session.traceState()
        files.append(try NumPyFile.write(state.history, named: "conv_state.npy", to: folder))
        files.append(try NumPyFile.write(state.h, named: "ssm_state.npy", to: folder))
        return files
    }

    /// Reads a text chunk by chunk, so that a signal need not wait for all of it.
    private func read(
        _ ids: [Int],
        with session: inout Session,
        to folder: PartialFolder
    ) throws -> NumPyFile.Description {
        var logits: [Float] = []
        for start in stride(from: 0, to: ids.count, by: chunk) {
            try folder.heedSignals()
            let part = ids[start..<min(start + chunk, ids.count)]
            logits += session.traceTokens(Array(part)).elements
        }
        let shape = [ids.count, session.model.decoder.configuration.vocabularySize]
        return try NumPyFile.write(logits, shape: shape, named: "logits.npy", to: folder)
    }

    private func write(
        _ stages: VisionTrace,
        to folder: PartialFolder
    ) throws -> [NumPyFile.Description] {
        let all =
            [("pixels", stages.pixels)] + stages.layers.map { ($0.name, $0.tokens) }
            + [("encoder", stages.features), ("projector", stages.tokens)]
        return try all.map { name, tensor in
            // A second network sees as many pixels, which it has as (3, H * W).
            let shape = name.hasSuffix("pixels") ? stages.pixels.shape : tensor.shape
            let file = name + ".npy"
            return try NumPyFile.write(tensor.elements, shape: shape, named: file, to: folder)
        }
    }

    private func see(_ path: String, with session: inout Session) throws -> VisionTrace {
        guard let slot = session.frameSlot else {
            throw ValidationError("\(model) has no vision.gguf, so it cannot look at pictures")
        }
        let frame = try describing {
            try PictureFile.decode(path, into: slot, limit: session.model.options.maximumFrame)
        }
        return try describing { try session.traceFrame(frame) }
    }

    private func textTokens(_ session: borrowing Session) throws -> [Int]? {
        if let text { return try describing { try session.prompt(text).tokens } }
        guard let tokens else { return nil }
        let count = session.model.decoder.configuration.vocabularySize
        return try tokens.split(separator: ",").map { part in
            guard let id = Int(part.trimmingCharacters(in: .whitespaces)), 0..<count ~= id else {
                throw ValidationError("--tokens: '\(part)' is not an id from 0 to \(count - 1)")
            }
            return id
        }
    }
}
