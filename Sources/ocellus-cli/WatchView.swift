// SPDX-License-Identifier: Apache-2.0
import CLibc
import Ocellus
import OcellusCommand
import OcellusImage
import OcellusMemory
import OcellusService

/// `ocellus watch --view`: the newest picture with its answers, in the whole terminal.
struct WatchView {
    private let terminal: Terminal
    private let source: String
    private var screen: WatchScreen
    private var text: [UInt8] = []
    private var latency: Int64 = 0
    /// The bytes of a line of a note that has not ended yet.
    private var unfinishedNote: [UInt8] = []

    /// The bytes of a note that are kept.
    private static let noteByteLimit = 1024

    /// Takes the terminal.
    ///
    /// - Throws: a usage error if standard output is not a terminal.
    init(source: String, questions: [String]) throws(CommandError) {
        terminal = try Terminal()
        screen = WatchScreen(style: terminal.style, questions: questions)
        self.source = source
        screen.title = source
        screen.figures = "waiting for the first picture; Ctrl-C ends"
        if !terminal.show() {
            writeNote("ocellus: --view shows nothing in the background; to the foreground: fg")
        }
        draw(nil)
    }

    /// Shows what an event changed: a picture when all is known that will be known about it.
    mutating func show(
        _ event: WatchEvent,
        _ loop: WatchLoop,
        _ session: borrowing Session,
        kept archive: FrameArchive?
    ) {
        switch event {
        case .answered(let answered):
            latency = answered.latency
            let rule = loop.questions[answered.question].rule
            screen.setAnswer(
                of: answered.question,
                to: Questioner.answerText(loop.answer, session),
                probability: loop.answer.probability,
                isOn: rule?.condition.isOn ?? false
            )
            // The picture stays until its last question is answered.
            guard answered.question == loop.questions.count - 1 else { return }
        case .frame(let seen):
            guard loop.settings.occasion == .change, !seen.isEncoded else { return }
        case .skipped, .commandEnded, .saved, .notSaved:
            break
        }
        screen.title = "\(source)   frame \(loop.frame?.number ?? 0)   \(WatchView.timeOfDay())"
        screen.figures = figures(loop, session, archive)
        draw(loop.frame)
    }

    private mutating func draw(_ frame: Frame?) {
        guard terminal.show() else { return }
        readNotes()
        let size = terminal.size
        text.removeAll(keepingCapacity: true)
        screen.draw(frame, rows: size.rows, columns: size.columns, into: &text)
        terminal.write(text)
    }

    /// Takes the last line that was written to standard error since the last drawing.
    private mutating func readNotes() {
        var bytes = [UInt8](repeating: 0, count: 512)
        while true {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe clibc_terminal_notes(buffer.baseAddress, buffer.count)
            }
            guard count > 0 else { return }
            for byte in bytes.prefix(count) {
                if byte == UInt8(ascii: "\n") {
                    screen.note =
                        WatchView.timeOfDay() + "  "
                        + String(decoding: unfinishedNote, as: UTF8.self)
                    unfinishedNote.removeAll(keepingCapacity: true)
                } else if unfinishedNote.count < WatchView.noteByteLimit {
                    unfinishedNote.append(byte)
                }
            }
        }
    }

    /// The last line, such as `240 ms to the answer   37.50 MiB resident   12 kept, 0.31 MiB`.
    private func figures(
        _ loop: WatchLoop,
        _ session: borrowing Session,
        _ archive: FrameArchive?
    ) -> String {
        var parts: [String] = []
        if latency > 0 { parts.append("\(decimal(Double(latency) / 1e6, 0)) ms to the answer") }
        parts.append(MemoryPlan.mebibytes(peakResidentBytes()) + " resident")
        let saved = session.statistics
        if saved.framesUnchanged > 0 {
            parts.append("\(saved.framesUnchanged) of \(saved.framesSeen) unchanged")
        }
        if let archive {
            parts.append("\(archive.fileCount) kept, \(MemoryPlan.mebibytes(archive.byteCount))")
        }
        return parts.joined(separator: "   ")
    }

    /// The local time, as on a clock on the wall.
    private static func timeOfDay() -> String {
        var now = time(nil)
        var local = unsafe tm()
        // Safety: both are ours, and live through the call.
        unsafe localtime_r(&now, &local)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return unsafe "\(two(local.tm_hour)):\(two(local.tm_min)):\(two(local.tm_sec))"
    }
}
