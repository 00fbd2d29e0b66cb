// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import OcellusCapture
import OcellusCommand
import OcellusConversion
import OcellusFormat
import OcellusMemory
import OcellusQuantization

/// `ocellus-kit convert`: a model as it was published becomes one that ocellus runs.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Make GGUF files from a published model.",
        discussion: """
            SOURCE is a folder as Hugging Face has it (config.json, safetensors or pytorch_model.bin, \
            single or sharded, tokenizer files), of transformers, timm or open_clip, or a checkpoint in \
            such a folder. PyTorch files are read without running what is in them. models/README.md \
            lists the models that are known, with a page for each.

            Matrices keep the type that they have in SOURCE, F32 if they are computed (batch norms \
            folded in), or get --type; norms, biases, convolutions of the decoder and parameters of the \
            recurrence are F32. Convolutions of encoders and projectors keep their type too, or get f32, \
            f16 or bf16, and F16 where --type has blocks; `quantize` keeps those of a file as they are, \
            F32 in one of F32. Rows that are no whole number of blocks get another type, and --dry-run \
            says which.

            Files appear in OUT when all of them are complete. Until then each is NAME.partial, with \
            NAME.partial.state beside it. After SIGINT or SIGTERM (exit code 75) the same command goes on \
            with the first tensor that was not complete, and if the program is killed, with the first that \
            was not yet safe on the disk (every 256 MiB); if anything in SOURCE or the command has \
            changed, it begins anew. An error removes the partial files, a signal those without a complete \
            tensor. Memory stays below the largest tensor and 256 MiB.

            With --json, one object: files (out, bytes, tensors (name, type, shape, bytes, from, \
            fromType, fromShape, relativeError, note), notes). Notes say what was assumed where nothing \
            states it.

            examples:
              ocellus-kit convert mamba-130m-hf models/mamba-130m --type q8_0
              ocellus-kit convert mamba-130m models/mamba-130m --tokenizer gpt-neox-20b/tokenizer.json
              ocellus-kit convert mamba-2.8b-hf models/mamba-2.8b --type q4_k --dry-run
              ocellus-kit convert clip-vit-base-patch16 models/clip-b16
              ocellus-kit convert cobra+3b models/cobra --vision vit_large_patch14_reg4_dinov2 \\
                  --vision vit_so400m_patch14_siglip_384 --tokenizer mamba-2.8b-zephyr
            """
    )

    @Argument(help: "The folder or checkpoint of a published model.")
    var source: String
    @Argument(help: "The folder to write to; made if it is missing.")
    var output: String
    @Option(
        help: "f32, f16, bf16, q8_0, q6_k, q4_k or q4_0 for all matrices.",
        transform: convertibleType
    )
    var type: WeightType?
    @Option(help: "tokenizer.json or its folder, if it is not in SOURCE.")
    var tokenizer: String?
    @Option(help: "A vision encoder that is published apart; repeatable.")
    var vision: [String] = []
    @Option(
        help:
            "\(promptNames), or a text with {} for the question; by default by the chat template.",
        transform: promptTemplate
    )
    var prompt: String?
    @Option(help: "The name to record; that of the folder by default.")
    var name: String?
    @Option(help: "The licence to record; by default what README.md of SOURCE says.")
    var license: String?
    @Option(help: "Where the model comes from, to record: an address.")
    var origin: String?
    @Option(help: "Threads that compute; as many as there are cores by default.")
    var threads = ProcessInfo.processInfo.activeProcessorCount
    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false
    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard 1...256 ~= threads else { throw ValidationError("--threads is 1 to 256") }
    }

    func run() throws {
        var options = ConversionOptions()
        options.type = type
        options.tokenizer = tokenizer
        options.vision = vision
        options.prompt = prompt
        options.name = name
        options.license = license
        options.origin = origin
        // Everything that can be refused is refused before anything is written.
        let plans = try describing {
            try ModelConversion.plans(for: PublishedModel(path: source), options)
        }
        let converters = try plans.map { plan in
            try describing {
                try ModelConverter(plan, to: path(of: plan), threadCount: threads)
            }
        }
        for plan in plans { try requireNoOther(thanFile: path(of: plan)) }
        let byteCount = converters.map(\.remainingByteCount).reduce(0, +)
        let folder = try folders(missingIn: output).existing
        var reports = plans.map { ConversionReport($0, out: path(of: $0)) }
        if !dryRun {
            let measured = try writing(into: output, byteCount: byteCount) {
                try write(plans, with: converters)
            }
            for index in reports.indices { reports[index].add(measured[index]) }
        }
        if json {
            try printJSON(["files": reports])
        } else {
            for report in reports { report.print() }
        }
        if dryRun { try requireRoom(byteCount, in: folder) }
    }

    private func path(of plan: ConversionPlan) -> String {
        "\(output)/\(plan.description.fileName)"
    }

    /// Writes all files, then puts them in their places; per file and tensor the error, if it was
    /// computed in this run.
    ///
    /// A signal ends it, and leaves what the same command can go on with.
    private func write(
        _ plans: [ConversionPlan],
        with converters: [ModelConverter]
    ) throws -> [[Int: Double]] {
        let stop = try describing { try StopSignal.ofProcess() }
        var complete: [ModelConverter] = []
        do {
            var errors: [[Int: Double]] = []
            for (plan, converter) in zip(plans, converters) {
                errors.append(try write(plan, with: converter, until: stop))
                complete.append(converter)
            }
            for converter in converters { try describing { try converter.commit() } }
            return errors
        } catch let error as CommandError where error.exitCode == .interrupted {
            let isKept = converters.contains { $0.completeTensorCount > 0 }
            let rest = isKept ? "the same command goes on from there" : "nothing is left"
            throw CommandError(.interrupted, "\(error.message); \(rest)")
        } catch {
            for converter in complete { converter.discard() }
            throw error
        }
    }

    /// Writes one partial file, and returns the errors of its tensors.
    private func write(
        _ plan: ConversionPlan,
        with converter: ModelConverter,
        until stop: StopSignal
    ) throws -> [Int: Double] {
        var bar = ProgressLine(plan.description.fileName, total: plan.byteCount)
        let kept = converter.completeTensorCount
        bar.advance(by: plan.steps.prefix(kept).map(\.byteCount).reduce(0, +))
        var errors: [Int: Double] = [:]
        let isComplete = try describing {
            try converter.write(isStopped: { stop.isRaised }) { index, sums in
                errors[index] = sums.relativeRMS
                bar.advance(by: plan.steps[index].byteCount)
            }
        }
        bar.finish()
        guard isComplete else {
            throw CommandError(.interrupted, "\(output): stopped by a signal")
        }
        return errors
    }
}

/// The type of a name as `--type` takes it.
private func convertibleType(_ name: String) throws -> WeightType {
    let types: [WeightType] = [.f32, .f16, .bf16, .q8_0, .q6_k, .q4_k, .q4_0]
    guard let type = types.first(where: { $0.name.lowercased() == name.lowercased() }) else {
        throw ValidationError("'\(name)' is none of f32, f16, bf16, q8_0, q6_k, q4_k, q4_0")
    }
    return type
}

/// The names that `--prompt` takes.
private let promptNames = PromptStyle.allCases.map(\.rawValue).joined(separator: ", ")

/// The template of a name, or a template as it was given.
private func promptTemplate(_ text: String) throws -> String {
    if let style = PromptStyle(rawValue: text) { return style.template ?? "" }
    let count = text.components(separatedBy: "{}").count - 1
    guard count == 1 else {
        throw ValidationError(
            "'\(text)' is none of \(promptNames), and has \(count == 0 ? "no" : "more than one") {}"
        )
    }
    return text
}
