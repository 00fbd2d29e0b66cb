// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusMemory

/// `ocellus bench`: how fast a model runs on this machine.
struct BenchCommand {
    static let help = """
        usage: ocellus bench --model DIR|decoder.gguf [options]

        Measures the reading of a prompt (prefill), the writing of an answer (decode) and, for a
        model that can see, the stages of one frame: the median and the 90th percentile of several
        runs after a warm-up. The tokens and the picture are seeded noise; the answers are not
        looked at. On a shared machine, compare ratios of runs made side by side.

          --prefill N         tokens to read (default 512)
          --decode N          tokens to write (default 64)
          --runs N            runs of prefill and decode (default 5); frames run 4 times as often
          --json              one JSON object
        \(ModelOptions.help)

        example:
          ocellus bench --model models/ommatidium --prefill 512 --decode 64 --threads 1
        """

    private let arguments: Arguments
    private let prefillCount: Int
    private let decodeCount: Int
    private let runCount: Int

    init(_ texts: [String]) throws(CommandError) {
        arguments = try Arguments(
            texts,
            options: ModelOptions.options + [
                Option("--prefill", "N"), Option("--decode", "N"), Option("--runs", "N"),
                Option("--json"),
            ],
            command: "bench"
        )
        guard arguments.positional.isEmpty else {
            throw .usage("bench takes no text; see: ocellus bench --help")
        }
        prefillCount = try arguments.int("--prefill", default: 512, in: 1...1_000_000)
        decodeCount = try arguments.int("--decode", default: 64, in: 1...1_000_000)
        runCount = try arguments.int("--runs", default: 5, in: 1...1000)
    }

    func run() throws(CommandError) {
        let model = try ModelOptions.open(arguments)
        let threadCount = model.options.threadCount
        let mapped = model.mappedBytes
        let arena = model.plan.requiredBytes
        var session = try ModelOptions.start(model)
        let result = session.measure(
            prefillCount: prefillCount,
            decodeCount: decodeCount,
            runCount: runCount
        )

        if arguments.has("--json") {
            var members: [(String, JSON)] = [
                ("model", .string(session.model.path)), ("threads", .int(threadCount)),
                ("instructionSet", .string(result.instructionSet)),
                ("prefillTokens", .int(prefillCount)),
                ("prefillTokensPerSecond", rate(prefillCount, result.prefill)),
                ("decodeTokens", .int(decodeCount)),
                ("decodeTokensPerSecond", rate(decodeCount, result.decode)),
                ("arenaBytes", .int(arena)), ("mappedBytes", .int(mapped)),
                ("peakResidentBytes", .int(peakResidentBytes())),
            ]
            for stage in result.frameStages {
                members.append((stage.name + "Milliseconds", times(stage.nanoseconds)))
            }
            return writeLine(JSON.object(members).text)
        }
        writeLine("kernels   \(result.instructionSet), \(threadCount) threads")
        writeLine("                     median       p90")
        writeTokens("prefill \(prefillCount)", prefillCount, result.prefill)
        writeTokens("decode \(decodeCount)", decodeCount, result.decode)
        for stage in result.frameStages {
            writeLine(
                padded(stage.name, 16)
                    + padded(milliseconds(percentile(stage.nanoseconds, 50)), 11, right: true)
                    + padded(milliseconds(percentile(stage.nanoseconds, 90)), 10, right: true)
                    + "  ms"
            )
        }
        writeLine(
            "arena           \(MemoryPlan.mebibytes(arena)), mapped weights "
                + "\(MemoryPlan.mebibytes(mapped)), peak resident "
                + MemoryPlan.mebibytes(peakResidentBytes())
        )
    }

    /// The tokens per second of the median and of the 90th percentile of the times.
    private func rate(_ count: Int, _ nanoseconds: [Int64]) -> JSON {
        .object([
            ("median", .number(perSecond(count, percentile(nanoseconds, 50)), digits: 2)),
            ("p90", .number(perSecond(count, percentile(nanoseconds, 90)), digits: 2)),
        ])
    }

    private func times(_ nanoseconds: [Int64]) -> JSON {
        .object([
            ("median", .number(Double(percentile(nanoseconds, 50)) / 1e6, digits: 3)),
            ("p90", .number(Double(percentile(nanoseconds, 90)) / 1e6, digits: 3)),
        ])
    }

    private func writeTokens(_ name: String, _ count: Int, _ nanoseconds: [Int64]) {
        let (median, slow) = (percentile(nanoseconds, 50), percentile(nanoseconds, 90))
        writeLine(
            padded(name, 16) + padded(decimal(perSecond(count, median), 1), 11, right: true)
                + padded(decimal(perSecond(count, slow), 1), 10, right: true)
                + "  tokens per second"
        )
    }

    private func perSecond(_ count: Int, _ nanoseconds: Int64) -> Double {
        Double(count) * 1e9 / Double(max(1, nanoseconds))
    }

    private func percentile(_ values: [Int64], _ percent: Int) -> Int64 {
        let sorted = values.sorted()
        return sorted[min(sorted.count - 1, sorted.count * percent / 100)]
    }
}
