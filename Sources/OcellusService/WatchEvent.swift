// SPDX-License-Identifier: Apache-2.0
public import Ocellus
public import OcellusCapture

/// One thing that happened while watching.
public enum WatchEvent {
    /// What became of the command of a rule that fired.
    public enum CommandStart: Sendable {
        /// It runs.
        case started
        /// The last one still runs, so none was started.
        case stillRunning
        /// The last one was started less than the minimum interval ago.
        case tooSoon
        /// The system could not start it; the number is errno's.
        case failed(Int32)
    }

    /// A question was answered; the answer is in the loop.
    public struct Answered: Sendable {
        /// Which of the questions.
        public let question: Int
        /// From the moment that the picture was taken, or read if its source has no clock, to the
        /// answer, in nanoseconds.
        public let latency: Int64
        /// Whether the condition of the rule was entered or left.
        public var change: Hysteresis.Change?
        /// What became of its command.
        public var command: CommandStart?
    }

    /// A frame was shown to the session; it is the loop's `frame` until the next event.
    case frame(SeenFrame)
    /// A question was answered about it.
    case answered(Answered)
    /// A picture cannot be read; the next one is as good as ever.
    case skipped(CaptureError)
    /// The command of a question's rule has ended.
    case commandEnded(question: Int, RuleCommand.Ending)
    /// The state was saved.
    case saved
    /// The state could not be saved; it will be tried again after the interval.
    case notSaved(OcellusError)
}

/// Why watching ended before its source did.
public enum WatchError: Error {
    /// The source of frames failed for good.
    case capture(CaptureError)
    /// The session cannot take a frame.
    case session(OcellusError)
}
