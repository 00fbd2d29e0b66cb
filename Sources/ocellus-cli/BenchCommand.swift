// SPDX-License-Identifier: Apache-2.0
import CLibc
import Ocellus
import OcellusCommand
import OcellusMemory

/// `ocellus bench`: how fast a model runs on this machine.
struct BenchCommand {
    static let help = """
        usage: ocellus bench --model DIR|decoder.gguf [options]

        Measures the reading of a prompt (prefill), the time to the first token of an answer, the
        writing of an answer (decode) and, for a model that can see, the stages of one frame: the
        median and the 90th percentile of several runs after a warm-up. The tokens and the picture
        are seeded noise; the answers are not looked at.

        A token takes one read of all weights of the decoder, so decoding cannot be faster than
        that. The same threads read the same bytes and do nothing else: the roof. What decoding
        reaches of it is printed; the rest goes to the scan and to waiting for threads.

          --prefill N         tokens to read (default 512)
          --decode N          tokens to write (default 64)
          --runs N            runs of prefill and decode, 1 to 1000 (default 5); frames run 4 times
                              as often
          --layers            then each layer and each kernel, of one more run
          --clock CLOCK       wall (default), or cpu: the time that the thread had a processor, for
                              a machine that is busy with other things; with --threads 1
          --json              one JSON object
          --compare FILE      the ratio to an earlier --json output
        \(ModelOptions.help)

        On a shared machine, compare ratios of runs made side by side. The environment variable
        OCELLUS_KERNELS=NAME takes other kernels than the best of this processor: avx2, neon,
        baseline; and avx512-bf16 and neon-fp16, which are faster with weights in BF16 and F16,
        and round activations to that type, neon-fp16 sums of 32 products too.

        examples:
          ocellus bench --model models/ommatidium --prefill 512 --decode 64 --threads 1
          ocellus bench --model models/ommatidium --json > before.json
          ocellus bench --model models/ommatidium --compare before.json
        """

    private let arguments: Arguments
    private var options = Measurement.Options()

    init(_ texts: [String]) throws(CommandError) {
        arguments = try Arguments(
            texts,
            options: ModelOptions.options + [
                Option("--prefill", "N"), Option("--decode", "N"), Option("--runs", "N"),
                Option("--layers"), Option("--clock", "CLOCK"), Option("--json"),
                Option("--compare", "FILE"),
            ],
            command: "bench"
        )
        guard arguments.positional.isEmpty else {
            throw .usage("bench takes no text; see: ocellus bench --help")
        }
        options.prefillCount = try arguments.int("--prefill", default: 512, in: 1...1_000_000)
        options.decodeCount = try arguments.int("--decode", default: 64, in: 1...1_000_000)
        options.runCount = try arguments.int("--runs", default: 5, in: 1...1000)
        options.recordsKernels = arguments.has("--layers")
        switch arguments.string("--clock") ?? "wall" {
        case "wall": options.countsProcessorTime = false
        case "cpu": options.countsProcessorTime = true
        default: throw .usage("--clock is wall or cpu")
        }
    }

    func run() throws(CommandError) {
        var earlier: JSON?
        if let path = arguments.string("--compare") { earlier = try BenchComparison.read(path) }
        let model = try ModelOptions.open(arguments)
        guard !options.countsProcessorTime || model.options.threadCount == 1 else {
            throw .usage("--clock cpu counts one thread: add --threads 1")
        }
        let memory = (arena: model.plan.requiredBytes, mapped: model.mappedBytes)
        let threadCount = model.options.threadCount
        var session = try ModelOptions.start(model)
        clibc_give_back_start()
        let result = session.measure(options)
        let report = BenchReport(
            result: result,
            options: options,
            modelPath: session.model.path,
            threadCount: threadCount,
            arenaByteCount: memory.arena,
            mappedByteCount: memory.mapped,
            residentByteCount: peakResidentBytes()
        )
        if arguments.has("--json") { return writeLine(report.json.text) }
        report.write()
        if let earlier { BenchComparison(earlier: earlier, now: report.json).write() }
    }
}
