// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusKernels
import OcellusMemory

/// What `ocellus bench` measured, as text and as JSON.
struct BenchReport {
    let result: Measurement
    let options: Measurement.Options
    let modelPath: String
    let threadCount: Int
    let arenaByteCount: Int
    let mappedByteCount: Int
    let residentByteCount: Int

    /// How many bytes per second all threads read, of the weights.
    private var readRate: Double {
        perSecond(result.weightByteCount, percentile(result.read.nanoseconds, 50))
    }

    /// The part of the roof that decoding reaches: the time of reading by the time of a token.
    private var roofShare: Double {
        let token = Double(percentile(result.decode.nanoseconds, 50)) / Double(options.decodeCount)
        return Double(percentile(result.read.nanoseconds, 50)) / token
    }

    private var hasDrafts: Bool { !result.drafted.nanoseconds.isEmpty }

    /// One object; times that have a unit in their name, else tokens per second.
    var json: JSON {
        var members: [(String, JSON)] = [
            ("model", .string(modelPath)), ("threads", .int(threadCount)),
            ("clock", .string(options.countsProcessorTime ? "cpu" : "wall")),
            ("instructionSet", .string(result.instructionSet)),
            ("prefillTokens", .int(options.prefillCount)),
            ("prefillTokensPerSecond", rate(options.prefillCount, result.prefill)),
            ("firstTokenMilliseconds", times(result.firstToken)),
            ("decodeTokens", .int(options.decodeCount)),
            ("decodeTokensPerSecond", rate(options.decodeCount, result.decode)),
            ("weightBytesPerToken", .int(result.weightByteCount)),
            ("readGigabytesPerSecond", .number(readRate / 1e9, digits: 2)),
            ("decodeShareOfRoof", .number(roofShare, digits: 3)),
        ]
        if hasDrafts {
            members.append(("draftedTokensPerSecond", rate(options.decodeCount, result.drafted)))
        }
        for stage in result.frame { members.append((stage.name + "Milliseconds", times(stage))) }
        members += [
            ("arenaBytes", .int(arenaByteCount)), ("mappedBytes", .int(mappedByteCount)),
            ("peakResidentBytes", .int(residentByteCount)),
        ]
        let profiles = profiles
        if !profiles.isEmpty {
            members.append(("profiles", .object(profiles.map { ($0.name, $0.json) })))
        }
        return .object(members)
    }

    /// Writes the text.
    func write() {
        let clock = options.countsProcessorTime ? ", processor time" : ""
        let threads = threadCount == 1 ? "1 thread" : "\(threadCount) threads"
        writeLine("kernels         \(result.instructionSet), \(threads)\(clock)")
        writeLine(
            "weights         \(MemoryPlan.mebibytes(result.weightByteCount)) per token, read at "
                + decimal(readRate / 1e9, 1) + " GB/s"
        )
        writeLine("                     median       p90")
        writeTokens(result.prefill, options.prefillCount)
        writeTimes(result.firstToken)
        writeTokens(
            result.decode,
            options.decodeCount,
            note: ", " + decimal(100 * roofShare, 0) + " % of the roof"
        )
        if hasDrafts {
            writeTokens(result.drafted, options.decodeCount, note: ", if all drafts are right")
        }
        for stage in result.frame { writeTimes(stage) }
        writeLine(
            "arena           \(MemoryPlan.mebibytes(arenaByteCount)), mapped weights "
                + "\(MemoryPlan.mebibytes(mappedByteCount)), peak resident "
                + MemoryPlan.mebibytes(residentByteCount)
        )
        for profile in profiles { profile.write() }
    }

    /// The stages whose kernels were recorded.
    private var profiles: [BenchProfile] {
        var profiles: [BenchProfile] = []
        for stage in [result.prefill, result.decode] + result.frame {
            guard let profile = stage.profile else { continue }
            profiles.append(BenchProfile(name: stage.name, calls: profile.calls))
        }
        return profiles
    }

    private func rate(_ count: Int, _ stage: Measurement.Stage) -> JSON {
        .object([
            (
                "median",
                .number(perSecond(count, percentile(stage.nanoseconds, 50)), digits: 2)
            ),
            ("p90", .number(perSecond(count, percentile(stage.nanoseconds, 90)), digits: 2)),
        ])
    }

    private func times(_ stage: Measurement.Stage) -> JSON {
        .object([
            ("median", .number(Double(percentile(stage.nanoseconds, 50)) / 1e6, digits: 3)),
            ("p90", .number(Double(percentile(stage.nanoseconds, 90)) / 1e6, digits: 3)),
        ])
    }

    private func writeTokens(_ stage: Measurement.Stage, _ count: Int, note: String = "") {
        writeRow(
            "\(stage.name) \(count)",
            decimal(perSecond(count, percentile(stage.nanoseconds, 50)), 1),
            decimal(perSecond(count, percentile(stage.nanoseconds, 90)), 1),
            "tokens per second" + note
        )
    }

    private func writeTimes(_ stage: Measurement.Stage) {
        writeRow(
            stage.name,
            milliseconds(percentile(stage.nanoseconds, 50)),
            milliseconds(percentile(stage.nanoseconds, 90)),
            "ms"
        )
    }

    private func writeRow(_ name: String, _ median: String, _ slow: String, _ unit: String) {
        writeLine(
            padded(name, 16) + padded(median, 11, right: true) + padded(slow, 10, right: true)
                + "  " + unit
        )
    }

    private func perSecond(_ count: Int, _ nanoseconds: Int64) -> Double {
        Double(count) * 1e9 / Double(max(1, nanoseconds))
    }

    /// The value below which that part of the others lies; between two values, their mean.
    private func percentile(_ values: [Int64], _ percent: Int) -> Int64 {
        let sorted = values.sorted()
        let (index, rest) = (sorted.count * percent).quotientAndRemainder(dividingBy: 100)
        if rest == 0 && 1..<sorted.count ~= index { return (sorted[index - 1] + sorted[index]) / 2 }
        return sorted[min(sorted.count - 1, index)]
    }
}
