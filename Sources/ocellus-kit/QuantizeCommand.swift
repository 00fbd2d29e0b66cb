// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import OcellusCapture
import OcellusCommand
import OcellusFormat
import OcellusMemory
import OcellusQuantization

/// `ocellus-kit quantize`: a model with smaller weights.
struct QuantizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Write a model with smaller weights, and say what it cost.",
        discussion: """
            A token costs one read of the weights, so a model of half the size answers almost twice as \
            fast. IN is a GGUF file with weights in F32, F16 or BF16, or a folder with decoder.gguf, \
            vision.gguf, or both; OUT is then a folder too.

            type   bits per weight   bytes as
            q8_0   8.5               llama.cpp's; hardly to be told from F16
            q8_row 8.5               for vision: one scale per row, and per cell of a picture; faster
            q6_k   6.56              our own search
            q4_k   4.5               our own search; the best at its size
            q4_0   4.5               llama.cpp's; the simplest

            With q8_row, the products of a vision file are summed in whole numbers and scaled once per row: \
            three quarters of the time of q8_0 with VNNI, half the instructions with Arm's int8 matrix \
            products. The type is our own: other programs refuse the file. A decoder beside it gets q8_0, \
            since a scan's outputs have outliers, and one scale per token would take the precision of the rest.

            Only matrices that activations are multiplied with, and the table of embeddings, are \
            rounded. Vectors, norms, convolutions and the parameters of the recurrence keep their bytes. \
            Rows must be whole blocks: for q4_k and q6_k a multiple of 256, else the tensor gets q5_0 or \
            q8_0; for all others a multiple of 32, else it gets F16. Both are said in the table.

            The table has one line per tensor: its types, its size, and its error: the root mean square \
            of the differences relative to that of the weights. Files are written beside their places and \
            put there when all are complete; until then they are NAME.partial. An error, SIGINT and SIGTERM leave \
            nothing behind; what a killed run has left, the next one for the same place takes over. Memory \
            stays below the largest tensor and 64 MiB.

            --evaluate takes a JSON list of things to see and to ask, paths relative to it, and tells \
            how many answers of the new model are those of the original:
              [{"frames": ["cat.jpg"], "questions": ["Is there a cat?", "Is there a dog?"]}]

            --imatrix takes such a list too. The original sees and answers it first, and the errors of \
            all types but q8_0 and q8_row then count by the mean square of the inputs that each column met. Q4_0 is \
            then no longer what llama.cpp writes. The table then also has the error of the products with \
            such inputs. Take other samples than for --evaluate.

            --pack interleaves the rows of matrices in Q8_0 and Q4_0, 16 and 16, so that the kernels read \
            them as they lie: as many bytes, the same weights, faster on every processor where arithmetic \
            takes longer than reading. Such matrices have our own types, Q8_0x16 and Q4_0x16: other \
            programs refuse the file. Without --type nothing is rounded: a file in Q8_0 or Q4_0 is packed, \
            and --unpack brings it back, byte for byte. Matrices that the model cuts within 16 rows \
            stay as they are, and so do all other types; the table says which.

            With --json, one object: files (file, out, bytesBefore, bytesAfter, relativeError, \
            productError, tensors (name, from, to, shape, bytes, relativeError, productError, note)), and \
            with --evaluate: evaluation (questions, same, different (frames, question, original, quantized)).

            examples:
              ocellus-kit quantize decoder-f16.gguf decoder-q8.gguf --type q8_0
              ocellus-kit quantize model-f16 model-q4 --type q4_k --head q6_k
              ocellus-kit quantize model-f16 model-q4 --type q4_k --dry-run
              ocellus-kit quantize model-f16 model-q8 --type q8_0 --evaluate questions.json
              ocellus-kit quantize model-f16 model-packed --type q4_0 --pack
              ocellus-kit quantize model-q8 model-packed --pack
            """
    )

    @Argument(help: "A GGUF file, or a folder with decoder.gguf, vision.gguf, or both.")
    var input: String
    @Argument(help: "The file or folder to write.")
    var output: String
    @Option(help: "q8_0, q8_row, q6_k, q4_k or q4_0.", transform: weightType)
    var type: WeightType?
    @Option(help: "Another type for the table of embeddings and the output.", transform: weightType)
    var head: WeightType?
    @Option(help: "Threads that compute; as many as there are cores by default.")
    var threads = ProcessInfo.processInfo.activeProcessorCount
    @Option(help: "A JSON list of frames and questions to ask both models.")
    var evaluate: String?
    @Option(help: "A JSON list of frames and questions that show which weights matter.")
    var imatrix: String?
    @Flag(help: "Interleave the rows of matrices in Q8_0 and Q4_0 for the kernels.")
    var pack = false
    @Flag(help: "Undo --pack.")
    var unpack = false
    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false
    @Flag(help: "Print one JSON object.")
    var json = false

    /// What is printed with `--json`.
    private struct Report: Encodable {
        var files: [QuantizationReport]
        var evaluation: AnswerAgreement?
    }

    /// One file to write.
    private struct Job {
        var input: String
        var output: String
        var plan: QuantizationPlan
        var isDecoder: Bool
    }

    private var order: RowOrder { pack ? .packed : unpack ? .plain : .original }

    func validate() throws {
        guard !pack || !unpack else {
            throw ValidationError("--pack and --unpack exclude each other")
        }
        guard !unpack || type == nil else {
            throw ValidationError("--unpack rounds nothing, so it takes no --type")
        }
        guard type != nil || pack || unpack else {
            throw ValidationError("--type is missing; or --pack, to round nothing")
        }
        guard type != nil || (head == nil && imatrix == nil) else {
            throw ValidationError("--head and --imatrix are for rounding: they need --type")
        }
        guard 1...256 ~= threads else { throw ValidationError("--threads is 1 to 256") }
        guard evaluate == nil || !dryRun else {
            throw ValidationError("--dry-run makes no model that --evaluate could ask")
        }
    }

    func run() throws {
        let questions = try evaluate.map { try EvaluationSet(path: $0) }
        let samples = try imatrix.map { try EvaluationSet(path: $0) }
        // Everything that can be refused is refused before anything is written.
        let jobs = try paths().map { input, output in
            try describing {
                let file = try ModelFile(path: input)
                let plan = try QuantizationPlan(
                    for: file,
                    type: type,
                    headType: head,
                    order: order
                )
                let isDecoder = file.architecture != "clip"
                guard !isFolder(self.input) || isDecoder == input.hasSuffix("/decoder.gguf") else {
                    throw CommandError(
                        .badModel,
                        "\(input): has the architecture '\(file.architecture)', that of the other file"
                    )
                }
                return Job(input: input, output: output, plan: plan, isDecoder: isDecoder)
            }
        }
        guard questions == nil && samples == nil || jobs.contains(where: \.isDecoder) else {
            throw CommandError.usage(
                "--imatrix and --evaluate ask the model, and \(input) has no decoder"
            )
        }
        for job in jobs { try requireNoOther(thanFile: job.output) }
        if jobs.allSatisfy(\.plan.isCopy) { throw CommandError(nothingToDo(jobs)) }
        var reports = jobs.map { QuantizationReport($0.plan, file: $0.input, out: $0.output) }
        // What cannot be asked is found before anything is written.
        let original = try questions.map { try answers(of: input, $0) }
        if !dryRun {
            let importance = try samples.map { try self.importance(of: $0) }
            let errors = try write(jobs, importance ?? [:])
            for index in reports.indices {
                reports[index].add(errors[index], hasImportance: importance != nil)
            }
        }
        if !json { for report in reports { report.print() } }
        let agreement = try questions.map { questions in
            let new = try answers(of: output, questions)
            return AnswerAgreement(questions, original: original ?? [], quantized: new)
        }
        if json {
            try printJSON(Report(files: reports, evaluation: agreement))
        } else {
            agreement?.print()
        }
    }

    /// Why all tensors would be copied.
    private func nothingToDo(_ jobs: [Job]) -> QuantizationError {
        if type != nil { return .noMatrix(path: input) }
        if unpack { return .notPacked(path: input) }
        let isPacked = jobs.contains { job in
            job.plan.steps.contains { $0.type.weightType?.isInterleaved ?? false }
        }
        return isPacked ? .alreadyPacked(path: input) : .nothingToPack(path: input)
    }

    private func importance(of samples: EvaluationSet) throws -> [String: [Float]] {
        try describing {
            var run = try EvaluationRun(samples, model: input, threads: threads)
            return try run.importance()
        }
    }

    private func answers(of model: String, _ questions: EvaluationSet) throws -> [String] {
        try describing {
            var run = try EvaluationRun(questions, model: model, threads: threads)
            return try run.answers()
        }
    }

    /// The files to read and to write.
    private func paths() throws -> [(input: String, output: String)] {
        try refuseSame(input, output)
        guard isFolder(input) else { return [(input, output)] }
        let names = try modelFiles(in: input)
        return names.map { ("\(input)/\($0)", "\(output)/\($0)") }
    }

    private func refuseSame(_ input: String, _ output: String) throws {
        func resolved(_ path: String) -> String {
            URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
        }
        if resolved(input) == resolved(output) {
            throw CommandError(.usage, "\(output): would replace the original; name another output")
        }
    }

    /// Writes all files, then puts them in their places; per file and tensor, the errors.
    private func write(
        _ jobs: [Job],
        _ importance: [String: [Float]]
    ) throws -> [[QuantizationErrorSums]] {
        let byteCount = jobs.map { max($0.plan.byteCount - leftBehind(at: $0.output), 0) }
            .reduce(0, +)
        let stop = try describing { try StopSignal.ofProcess() }
        if isFolder(input) {
            return try writing(into: output, byteCount: byteCount) {
                try write(jobs[...], importance, until: stop)
            }
        }
        let folder = URL(fileURLWithPath: output).deletingLastPathComponent().path
        try requireSpace(byteCount, in: folder)
        return try write(jobs[...], importance, until: stop)
    }

    /// The size of what a killed run has left for a file, in whose place the new one comes.
    private func leftBehind(at path: String) -> Int {
        let partial = try? FileManager.default.attributesOfItem(atPath: path + ".partial")
        return (partial?[.size] as? NSNumber)?.intValue ?? 0
    }

    /// Writes the first file and, before it is put in its place, the others.
    private func write(
        _ jobs: ArraySlice<Job>,
        _ importance: [String: [Float]],
        until stop: StopSignal
    ) throws -> [[QuantizationErrorSums]] {
        guard let job = jobs.first else { return [] }
        let file = try describing { try ModelFile(path: job.input) }
        var bar = ProgressLine(job.input, total: job.plan.byteCount)
        let quantizer = ModelQuantizer(job.plan, threadCount: threads, importance: importance)
        var others: [[QuantizationErrorSums]] = []
        let own = try describing {
            try quantizer.write(
                file,
                to: job.output,
                progress: { index, _ in bar.advance(by: job.plan.steps[index].byteCount) },
                betweenPortions: { try stop.heed(writing: output) },
                completion: {
                    bar.finish()
                    others = try write(jobs.dropFirst(), importance, until: stop)
                }
            )
        }
        return [own] + others
    }
}

/// The type of a name as `--type` takes it.
private func weightType(_ name: String) throws -> WeightType {
    guard
        let type = QuantizationPlan.types.first(where: { $0.name.lowercased() == name.lowercased() }
        )
    else { throw ValidationError("'\(name)' is none of q8_0, q8_row, q6_k, q4_k, q4_0") }
    return type
}
