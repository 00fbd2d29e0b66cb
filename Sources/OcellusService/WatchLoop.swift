// SPDX-License-Identifier: Apache-2.0
import CLibc
public import Ocellus
public import OcellusCapture
public import OcellusImage
import OcellusMemory

/// Watches a stream: shows each frame to a session once and asks the standing questions.
///
///     var loop = WatchLoop(questions: questions, style: style, settings: settings)
///     while let event = try loop.next(&source, &session) {
///         if case .answered(let answered) = event { print(loop.answer.text) }
///     }
///
/// It prints nothing and, once each kind of event has happened, allocates nothing but what the source
/// does. It belongs to one thread, as the session does.
public struct WatchLoop {
    /// The questions and where their rules stand.
    public private(set) var questions: [StandingQuestion]
    /// How they are answered.
    public let style: AnswerStyle
    /// How the stream is watched.
    public let settings: WatchSettings
    /// The last answer; overwritten by the next event.
    public private(set) var answer: Answer
    /// The probabilities of the choices of the last answer.
    public private(set) var probabilities: [Float] = []
    /// The newest frame, valid until the next event.
    public private(set) var frame: Frame?
    /// When the newest frame was taken, or read, on the monotonic clock in nanoseconds.
    public private(set) var frameMoment: Int64 = 0
    /// The count of frames that this loop has shown to the session.
    public private(set) var frameCount = 0

    private var keeper: StateKeeper?
    /// Whether a save was tried since the newest frame: a disk that is full shall not stop the watch.
    private var hasTriedToSave = false
    /// The question to ask next about the newest frame.
    private var nextQuestion: Int
    /// The rule whose command is looked at next.
    private var nextReaped = 0
    /// When a live source is asked for its next frame.
    private var dueMoment: Int64?
    private var values = RuleValues()

    /// A loop that has seen nothing yet.
    ///
    /// - Parameters:
    ///   - questions: what to ask.
    ///   - style: how they are answered.
    ///   - settings: how the stream is watched.
    ///   - keeper: what saves the session's state, if it is to be saved.
    public init(
        questions: [StandingQuestion],
        style: AnswerStyle,
        settings: WatchSettings,
        keeper: StateKeeper? = nil
    ) {
        self.questions = questions
        self.style = style
        self.settings = settings
        self.keeper = keeper
        answer = style.emptyAnswer()
        nextQuestion = questions.count
        if let choices = style.choices { probabilities.reserveCapacity(choices.texts.count) }
        values.time.reserveCapacity(32)
        values.probability.reserveCapacity(16)
    }

    /// Restores what the keeper's file has: the state of the session, and where the rules stood.
    ///
    /// - Throws: what `StateKeeper.restore` throws; the session and the rules are then as before.
    public mutating func restore(_ session: inout Session) throws(OcellusError) -> StateKeeper.Found
    {
        guard let keeper else { return .nothing }
        let found = try keeper.restore(&session)
        guard case .restored(let records) = found else { return found }
        for index in questions.indices {
            let text = questions[index].utf8
            questions[index].rule?.restore(records, question: text)
        }
        return found
    }

    /// Goes on until something happens.
    ///
    /// - Returns: what happened; nil once the source has ended, the limit is reached or the stop signal
    ///   came. Call `finish` then.
    /// - Throws: `WatchError.capture` if the source fails for good, `.session` for a model that cannot
    ///   see or a frame that it cannot take.
    public mutating func next(
        _ source: inout FrameSource,
        _ session: inout Session
    ) throws(WatchError) -> WatchEvent? {
        if nextQuestion < questions.count {
            nextQuestion += 1
            return ask(nextQuestion - 1, &session)
        }
        if let ended = endedCommand() { return ended }
        if let saved = saveIfDue(session) { return saved }
        guard frameCount < settings.frameLimit, waitForTurn(of: source) else { return nil }
        hasTriedToSave = false
        return try show(&source, &session)
    }

    /// Saves the state a last time and gives running commands a moment to end.
    ///
    /// - Parameters:
    ///   - session: the session that was watched with.
    ///   - patience: how long to wait for commands; what still runs then goes on by itself.
    /// - Throws: what `Session.save(toFile:)` throws.
    public mutating func finish(
        _ session: borrowing Session,
        patience: Duration = .seconds(1)
    ) throws(OcellusError) {
        let end = monotonicNanoseconds() + patience.wholeNanoseconds
        while hasRunningCommand(), monotonicNanoseconds() < end {
            _ = clibc_wait_readable(-1, -1, -1, 10_000_000)
        }
        let records = ruleRecords
        try keeper?.save(session, supplement: records)
    }

    private mutating func show(
        _ source: inout FrameSource,
        _ session: inout Session
    ) throws(WatchError) -> WatchEvent? {
        guard let slot = session.frameSlot else {
            throw .session(.noVision(path: session.model.path))
        }
        do throws(CaptureError) {
            frame = try source.next(into: slot)
        } catch {
            if error.isSkippable { return .skipped(error) }
            throw .capture(error)
        }
        guard let frame else { return nil }
        frameMoment = frame.captureTime ?? monotonicNanoseconds()
        do throws(OcellusError) {
            try session.see(frame, crop: settings.crop)
        } catch {
            throw .session(error)
        }
        frameCount += 1
        let seen = session.lastFrame
        switch settings.occasion {
        case .everyFrame: nextQuestion = 0
        case .change: nextQuestion = seen.isEncoded ? 0 : questions.count
        }
        return .frame(seen)
    }

    private mutating func ask(_ index: Int, _ session: inout Session) -> WatchEvent {
        style.answer(
            questions[index].prompt,
            with: &session,
            probabilities: &probabilities,
            into: &answer
        )
        var answered = WatchEvent.Answered(
            question: index,
            latency: monotonicNanoseconds() - frameMoment
        )
        answered.change = questions[index].rule?.add(
            answer,
            choices: style.choices,
            probabilities: probabilities
        )
        if answered.change == .entered { answered.command = run(index) }
        if answered.change != nil {
            // Cut off before the next interval, the program would start the command again too soon.
            var isUrgent = false
            if case .started? = answered.command {
                isUrgent = (questions[index].rule?.minimumInterval ?? 0) > 0
            }
            keeper?.noteNews(isUrgent: isUrgent)
        }
        return .answered(answered)
    }

    /// Where all rules stand, as `RuleRecord` has it.
    private var ruleRecords: [UInt8] {
        var bytes: [UInt8] = []
        for question in questions {
            question.rule?.record(of: question.utf8).append(to: &bytes)
        }
        return bytes
    }

    /// Starts the command of a question's rule.
    private mutating func run(_ index: Int) -> WatchEvent.CommandStart? {
        values.answer = answer.trimmedUTF8
        values.question = questions[index].utf8
        values.time.removeAll(keepingCapacity: true)
        WallClock.append(
            nanosecondsSince1970: WallClock.nanoseconds(atMonotonic: frameMoment),
            to: &values.time
        )
        values.probability.removeAll(keepingCapacity: true)
        appendMillionths(answer.probability, to: &values.probability)
        // A clip is as old as it says; a camera has no other clock than ours.
        let isLive = frame?.captureTime != nil
        let time = isLive ? frameMoment : frame?.timestamp.wholeNanoseconds ?? frameMoment
        return questions[index].rule?.run(values, time: time)
    }

    private mutating func endedCommand() -> WatchEvent? {
        for _ in questions.indices {
            let index = nextReaped % questions.count
            nextReaped = index + 1
            if let ending = questions[index].rule?.command?.reap() {
                return .commandEnded(question: index, ending)
            }
        }
        return nil
    }

    private func hasRunningCommand() -> Bool {
        for index in questions.indices {
            guard let command = questions[index].rule?.command, command.isRunning else { continue }
            if command.reap() == nil { return true }
        }
        return false
    }

    private mutating func saveIfDue(_ session: borrowing Session) -> WatchEvent? {
        guard !hasTriedToSave, var keeper, keeper.isDue else { return nil }
        hasTriedToSave = true
        defer { self.keeper = keeper }
        do throws(OcellusError) {
            return try keeper.save(session, supplement: ruleRecords) ? .saved : nil
        } catch {
            return .notSaved(error)
        }
    }

    /// Waits until a live source is to be asked again; false if the stop signal came.
    private mutating func waitForTurn(of source: borrowing FrameSource) -> Bool {
        if let stop = settings.stop, stop.isRaised { return false }
        guard source.isLive, let period = settings.period?.wholeNanoseconds else { return true }
        let now = monotonicNanoseconds()
        guard let dueMoment else {
            self.dueMoment = now + period
            return true
        }
        if now < dueMoment {
            let stop = settings.stop?.descriptor ?? -1
            guard clibc_wait_readable(stop, -1, -1, dueMoment - now) <= 0 else { return false }
        }
        // Turns that were missed stay missed.
        let missed = max(0, now - dueMoment) / period
        self.dueMoment = dueMoment + (missed + 1) * period
        return true
    }
}

/// Appends a probability with six digits behind the point.
private func appendMillionths(_ probability: Float, to text: inout [UInt8]) {
    let millionths = Int((min(max(probability, 0), 1) * 1_000_000).rounded())
    text.append(UInt8(ascii: "0") + UInt8(millionths / 1_000_000))
    text.append(UInt8(ascii: "."))
    var divisor = 100_000
    while divisor > 0 {
        text.append(UInt8(ascii: "0") + UInt8(millionths / divisor % 10))
        divisor /= 10
    }
}
