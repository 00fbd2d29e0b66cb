// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusMemory
import OcellusModels

/// What a model with its options keeps of past frames, and where that is known, for how long.
func memoryLine(_ model: borrowing Model) -> String {
    let policy = model.streamMemory.description
    guard let horizon = model.horizon else { return policy + ", horizon not measured" }
    return policy + ", horizon \(horizon) frames"
}

/// Times and memory of a run, for `--stats`.
struct Report {
    private var frameCount: Int64 = 0
    private var frameTimes = FrameTimes()
    private var rebuildNanoseconds: Int64 = 0
    private var promptTokens = 0
    private var promptNanoseconds: Int64 = 0
    private var answerTokens = 0
    private var answerNanoseconds: Int64 = 0
    private var draftedTokens = 0
    private var acceptedTokens = 0

    /// Counts a frame that was seen.
    mutating func add(_ times: FrameTimes) {
        frameCount += 1
        frameTimes.preprocess += times.preprocess
        frameTimes.encode += times.encode
        frameTimes.project += times.project
        frameTimes.fold += times.fold
    }

    /// Counts a question that was answered.
    mutating func add(_ answer: Answer) {
        rebuildNanoseconds += answer.rebuildNanoseconds
        promptTokens += answer.promptTokenCount
        promptNanoseconds += answer.promptNanoseconds
        answerTokens += answer.tokens.count
        answerNanoseconds += answer.decodeNanoseconds
        draftedTokens += answer.draftedTokenCount
        acceptedTokens += answer.acceptedTokenCount
    }

    /// Writes the report to standard error.
    func write(session: borrowing Session) {
        if frameCount > 0 {
            let (sum, count) = (frameTimes, frameCount)
            writeNote("frames          \(count)")
            writeNote("per frame       \(milliseconds(sum.total / count)) ms:")
            writeNote("  preprocess    \(milliseconds(sum.preprocess / count)) ms")
            writeNote("  encode        \(milliseconds(sum.encode / count)) ms")
            writeNote("  project       \(milliseconds(sum.project / count)) ms")
            writeNote("  fold          \(milliseconds(sum.fold / count)) ms")
        }
        let saved = session.statistics
        if saved.framesSeen > 0 {
            writeNote(
                "frames encoded  \(saved.framesEncoded) of \(saved.framesSeen), "
                    + "\(saved.framesUnchanged) had not changed"
            )
            if session.model.options.reuseThreshold != nil {
                let skipped = decimal(100 * saved.convolutions.skippedShare, 1)
                writeNote("convolutions    \(skipped) % of the encoded frames' were not needed")
            }
            writeNote(
                "image tokens    \(saved.tokensFolded) folded, \(saved.tokensSaved) saved, "
                    + "\(saved.tokensReplayed) replayed in \(saved.rebuilds) rebuilds"
            )
            if rebuildNanoseconds > 0, saved.rebuilds > 0 {
                writeNote("rebuilds        \(milliseconds(rebuildNanoseconds)) ms before questions")
            }
            writeNote("memory          " + memoryLine(session.model))
        }
        writeNote("questions read  " + rate(promptTokens, promptNanoseconds))
        writeNote("answers written " + rate(answerTokens, answerNanoseconds))
        if session.model.options.draftLength > 0 {
            writeNote("drafts          \(acceptedTokens) of \(draftedTokens) tokens were right")
        }
        let arena = session.model.plan.requiredBytes
        let mapped = session.model.mappedBytes
        let resident = peakResidentBytes()
        writeNote("arena           \(MemoryPlan.mebibytes(arena)) (\(arena) bytes)")
        writeNote("mapped weights  \(MemoryPlan.mebibytes(mapped)) (\(mapped) bytes)")
        writeNote("peak resident   \(MemoryPlan.mebibytes(resident))")
    }

    private func rate(_ tokens: Int, _ nanoseconds: Int64) -> String {
        guard nanoseconds > 0 else { return "\(tokens) tokens" }
        let perSecond = Double(tokens) * 1e9 / Double(nanoseconds)
        return "\(tokens) tokens in \(milliseconds(nanoseconds)) ms, "
            + "\(decimal(perSecond, 0)) tokens per second"
    }
}
