// SPDX-License-Identifier: Apache-2.0
import CLibc
import Ocellus
import OcellusCapture
import OcellusImage
import OcellusModels
import OcellusService

/// Tells the user what happened while watching: answers on standard output, the rest as notes.
struct WatchReport {
    /// How answers are written.
    enum Answers {
        case lines
        case json
        /// Not at all: they are seen in a view.
        case none
    }

    private let answers: Answers
    /// The digits behind the point of a time in seconds.
    private let timeDigits: Int
    private var cannotSave = false

    /// - Parameters:
    ///   - answers: how answers are written.
    ///   - period: the time between two frames; nil if they come when they come.
    init(answers: Answers, period: Duration?) {
        self.answers = answers
        timeDigits = WatchReport.timeDigits(for: period)
    }

    /// As many digits as tell the times of two frames apart: at least one, at most milliseconds.
    private static func timeDigits(for period: Duration?) -> Int {
        guard let period else { return 3 }
        let milliseconds = period.components.attoseconds / 1_000_000_000_000_000
        return milliseconds % 100 == 0 ? 1 : milliseconds % 10 == 0 ? 2 : 3
    }

    /// Tells about an event; frames by themselves are not told.
    ///
    /// - Parameters:
    ///   - event: what happened.
    ///   - loop: where it happened.
    ///   - session: what the loop asks.
    ///   - capture: what a live source has counted.
    ///   - file: the picture's file, if it was kept.
    mutating func tell(
        _ event: WatchEvent,
        _ loop: WatchLoop,
        _ session: borrowing Session,
        capture: CaptureStatistics?,
        file: String?
    ) {
        switch event {
        case .frame: break
        case .answered(let answered):
            switch answers {
            case .lines: writeLine(line(answered, loop, session))
            case .json:
                var members = json(answered, loop, session)
                if let capture { members.append(("capture", capture.json)) }
                if let file { members.append(("file", .string(file))) }
                writeLine(JSON.object(members).text)
            case .none: break
            }
            note(answered, loop)
        case .skipped(let error): writeNote("ocellus: skipped: " + error.description)
        case .commandEnded(let question, .exited(let status)):
            guard status != 0 else { break }
            writeNote("ocellus: \(name(question, loop)) ended with status \(status)")
        case .commandEnded(let question, .killed):
            writeNote("ocellus: \(name(question, loop)) was killed")
        case .saved: cannotSave = false
        case .notSaved(let error):
            // Told once, until it works again.
            if !cannotSave { writeNote("ocellus: " + error.description) }
            cannotSave = true
        }
    }

    /// Writes what a live source has counted to standard error.
    static func write(_ statistics: CaptureStatistics) {
        writeNote(
            "pictures        \(statistics.delivered) taken, \(statistics.superseded) superseded by "
                + "newer ones, \(statistics.lost) lost by the driver, \(statistics.bad) bad"
        )
        writeNote(
            "outages         \(statistics.outages), \(statistics.failedReopens) vain attempts to "
                + "open again"
        )
    }

    private func line(
        _ answered: WatchEvent.Answered,
        _ loop: WatchLoop,
        _ session: borrowing Session
    ) -> String {
        let answer = Questioner.line(loop.answer, style: loop.style, session: session)
        let question = loop.questions[answered.question].text
        let change = answered.change.map { "  [\($0.name)]" } ?? ""
        let time = clock(loop.frame?.timestamp ?? .zero, digits: timeDigits)
        return oneLine("\(time)  \(question)  \(answer)\(change)")
    }

    private func json(
        _ answered: WatchEvent.Answered,
        _ loop: WatchLoop,
        _ session: borrowing Session
    ) -> [(String, JSON)] {
        let frameTime = (loop.frame?.timestamp ?? .zero).components
        var time: [UInt8] = []
        WallClock.append(
            nanosecondsSince1970: WallClock.nanoseconds(atMonotonic: loop.frameMoment),
            to: &time
        )
        let statistics = session.statistics
        let pictureChange = session.lastFrame.change
        var members: [(String, JSON)] = [
            (
                "seconds",
                .number(
                    Double(frameTime.seconds) + Double(frameTime.attoseconds) / 1e18,
                    digits: 3
                )
            ),
            ("time", .string(String(decoding: time, as: UTF8.self))),
            ("frame", .int(loop.frame?.number ?? 0)),
            ("latencyMilliseconds", .number(Double(answered.latency) / 1e6, digits: 3)),
        ]
        members += Questioner.json(
            loop.answer,
            probabilities: loop.probabilities,
            style: loop.style,
            question: loop.questions[answered.question].text,
            session: session
        )
        members += [
            (
                "pictureChange",
                pictureChange.map { .number(Double($0), digits: 2) } ?? .null
            ),
            ("framesEncoded", .int(statistics.framesEncoded)),
            ("tokensFolded", .int(statistics.tokensFolded)),
            ("tokensSaved", .int(statistics.tokensSaved)),
        ]
        if session.model.options.reuseThreshold != nil {
            let skipped = statistics.convolutions.skippedShare
            members.append(("convolutionsSkipped", .number(skipped, digits: 4)))
        }
        if let rule = loop.questions[answered.question].rule {
            members.append(("condition", .bool(rule.condition.isOn)))
        }
        if let change = answered.change { members.append(("change", .string(change.name))) }
        if let command = answered.command { members.append(("command", .string(command.name))) }
        return members
    }

    /// What a reader of the answers must know about a command that was not started.
    private func note(_ answered: WatchEvent.Answered, _ loop: WatchLoop) {
        guard case .failed(let error)? = answered.command else { return }
        let reason = unsafe String(cString: strerror(error))
        writeNote("ocellus: \(name(answered.question, loop)) cannot be started: \(reason)")
    }

    private func name(_ question: Int, _ loop: WatchLoop) -> String {
        loop.questions[question].rule?.command?.words[0] ?? ""
    }
}

extension CaptureStatistics {
    /// As the reports have it.
    fileprivate var json: JSON {
        .object([
            ("delivered", .int(delivered)), ("superseded", .int(superseded)), ("lost", .int(lost)),
            ("flagged", .int(flagged)), ("short", .int(short)), ("damaged", .int(damaged)),
            ("untimed", .int(untimed)), ("outages", .int(outages)),
            ("failedReopens", .int(failedReopens)),
        ])
    }
}

extension Hysteresis.Change {
    /// As the reports have it.
    fileprivate var name: String {
        switch self {
        case .entered: "entered"
        case .left: "left"
        }
    }
}

extension WatchEvent.CommandStart {
    /// As the reports have it.
    fileprivate var name: String {
        switch self {
        case .started: "started"
        case .stillRunning: "still running"
        case .tooSoon: "too soon"
        case .failed: "failed"
        }
    }
}
