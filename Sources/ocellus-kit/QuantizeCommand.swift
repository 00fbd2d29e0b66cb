// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
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
            fast. IN is a GGUF file with weights in F32, F16 or BF16, or a folder with decoder.gguf and \
            vision.gguf; OUT is then a folder too.

            type   bits per weight   bytes as
            q8_0   8.5               llama.cpp's; hardly to be told from F16
            q6_k   6.56              our own search
            q4_k   4.5               our own search; the best at its size
            q4_0   4.5               llama.cpp's; the simplest

            Only matrices that activations are multiplied with, and the table of embeddings, are \
            rounded. Vectors, norms, convolutions and the parameters of the recurrence keep their bytes. \
            Rows must be whole blocks: for q4_k and q6_k a multiple of 256, else the tensor gets q5_0 or \
            q8_0; for these a multiple of 32, else it gets F16. Both are said in the table.

            The table has one line per tensor: its types, its size, and its error: the root mean square \
            of the differences relative to that of the weights. The file is written beside OUT and put \
            in its place when it is complete. Memory stays below the largest tensor and 64 MiB.

            --evaluate takes a JSON list of things to see and to ask, paths relative to it, and tells \
            how many answers of the new model are those of the original:
              [{"frames": ["cat.jpg"], "questions": ["Is there a cat?", "Is there a dog?"]}]

            --imatrix takes such a list too. The original sees and answers it first, and the errors of \
            all types but q8_0 then count by the mean square of the inputs that each column met. Q4_0 is \
            then no longer what llama.cpp writes. The table then also has the error of the products with \
            such inputs. Take other samples than for --evaluate.

            With --json, one object: files (file, out, bytesBefore, bytesAfter, relativeError, \
            productError, tensors (name, from, to, shape, bytes, relativeError, productError, note)), and \
            with --evaluate: evaluation (questions, same, different (frames, question, original, quantized)).

            examples:
              ocellus-kit quantize decoder-f16.gguf decoder-q8.gguf --type q8_0
              ocellus-kit quantize model-f16 model-q4 --type q4_k --head q6_k
              ocellus-kit quantize model-f16 model-q4 --type q4_k --dry-run
              ocellus-kit quantize model-f16 model-q8 --type q8_0 --evaluate questions.json
            """
    )

    @Argument(help: "A GGUF file, or a folder with decoder.gguf and vision.gguf.")
    var input: String
    @Argument(help: "The file or folder to write.")
    var output: String
    @Option(help: "q8_0, q6_k, q4_k or q4_0.", transform: weightType)
    var type: WeightType
    @Option(help: "Another type for the table of embeddings and the output.", transform: weightType)
    var head: WeightType?
    @Option(help: "Threads that compute; as many as there are cores by default.")
    var threads = ProcessInfo.processInfo.activeProcessorCount
    @Option(help: "A JSON list of frames and questions to ask both models.")
    var evaluate: String?
    @Option(help: "A JSON list of frames and questions that show which weights matter.")
    var imatrix: String?
    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false
    @Flag(help: "Print one JSON object.")
    var json = false

    /// What is printed with `--json`.
    private struct Report: Encodable {
        var files: [QuantizationReport]
        var evaluation: AnswerAgreement?
    }

    func validate() throws {
        guard 1...256 ~= threads else { throw ValidationError("--threads is 1 to 256") }
        guard evaluate == nil || !dryRun else {
            throw ValidationError("--dry-run makes no model that --evaluate could ask")
        }
    }

    func run() throws {
        let questions = try evaluate.map { try EvaluationSet(path: $0) }
        let samples = try imatrix.map { try EvaluationSet(path: $0) }
        let jobs = try self.jobs()
        // Everything that can be refused is refused before anything is written.
        let planned = try jobs.map { job in
            try describing {
                let file = try ModelFile(path: job.input)
                return try QuantizationPlan(for: file, type: type, headType: head)
            }
        }
        var importance: [String: [Float]] = [:]
        if !dryRun {
            if let samples {
                importance = try describing {
                    var run = try EvaluationRun(samples, model: input, threads: threads)
                    return try run.importance()
                }
            }
            if isFolder(input) { try makeFolder(output) }
            let folder =
                isFolder(output)
                ? output : URL(fileURLWithPath: output).deletingLastPathComponent().path
            try requireSpace(planned.map(\.byteCount).reduce(0, +), in: folder)
        }
        var reports: [QuantizationReport] = []
        for (job, plan) in zip(jobs, planned) {
            var report = QuantizationReport(plan, file: job.input, out: job.output)
            if !dryRun { try describing { try write(plan, job, importance, &report) } }
            reports.append(report)
            if !json { report.print() }
        }
        let agreement = try questions.map { questions in
            let new = try answers(of: output, questions)
            let old = try answers(of: input, questions)
            return AnswerAgreement(questions, original: old, quantized: new)
        }
        if json {
            try printJSON(Report(files: reports, evaluation: agreement))
        } else {
            agreement?.print()
        }
    }

    private func answers(of model: String, _ questions: EvaluationSet) throws -> [String] {
        try describing {
            var run = try EvaluationRun(questions, model: model, threads: threads)
            return try run.answers()
        }
    }

    /// The files to read and to write.
    private func jobs() throws -> [(input: String, output: String)] {
        try refuseSame(input, output)
        guard isFolder(input) else { return [(input, output)] }
        let names = ["decoder.gguf", "vision.gguf"].filter {
            FileManager.default.fileExists(atPath: "\(input)/\($0)")
        }
        guard names.first == "decoder.gguf" else {
            throw CommandError(.noInput, "\(input): the folder has no decoder.gguf")
        }
        return names.map { ("\(input)/\($0)", "\(output)/\($0)") }
    }

    private func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    private func refuseSame(_ input: String, _ output: String) throws {
        func resolved(_ path: String) -> String {
            URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
        }
        if resolved(input) == resolved(output) {
            throw CommandError(.usage, "\(output): would replace the original; name another output")
        }
    }

    private func write(
        _ plan: QuantizationPlan,
        _ job: (input: String, output: String),
        _ importance: [String: [Float]],
        _ report: inout QuantizationReport
    ) throws {
        let file = try ModelFile(path: job.input)
        var bar = ProgressLine(job.input, total: plan.byteCount)
        let quantizer = ModelQuantizer(plan, threadCount: threads, importance: importance)
        let errors = try quantizer.write(file, to: job.output) { index, _ in
            bar.advance(by: plan.steps[index].byteCount)
        }
        bar.finish()
        report.add(errors, hasImportance: !importance.isEmpty)
    }
}

/// The type of a name as `--type` takes it.
private func weightType(_ name: String) throws -> WeightType {
    guard
        let type = QuantizationPlan.types.first(where: { $0.name.lowercased() == name.lowercased() }
        )
    else { throw ValidationError("'\(name)' is none of q8_0, q6_k, q4_k, q4_0") }
    return type
}
