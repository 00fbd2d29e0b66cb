// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusCommand
import OcellusService

/// The standing questions of `ocellus watch`: each `--ask`, and the options of its rule that follow it.
struct WatchRules {
    /// Repeatable, each for a question of its own.
    static let options = [
        Option("--ask", "Q", isRepeatable: true), Option("--when", "ANSWER", isRepeatable: true),
        Option("--exec", "CMD", isRepeatable: true), Option("--hold", "N", isRepeatable: true),
        Option("--enter", "P", isRepeatable: true), Option("--leave", "P", isRepeatable: true),
        Option("--min-interval", "TIME", isRepeatable: true),
    ]

    static let help = """
          --ask Q             a question; repeatable. The options of a rule belong to the question
                              before them:
          --when ANSWER       the answer that is waited for; its first answer enters the condition.
                              With --choices, one of them. --state keeps where the condition stood
          --exec CMD          a program to start then, its words divided by spaces, no shell. It
                              finds OCELLUS_ANSWER, OCELLUS_QUESTION, OCELLUS_TIME (UTC) and
                              OCELLUS_PROBABILITY in its environment; what it prints goes to
                              standard error. It is not started again while it runs. When the
                              watch starts it must be there, and a program: ELF, or a script that
                              begins with #! and an interpreter that is there (else exit code 69)
          --hold N            N answers in a row enter or leave the condition (default 1)
          --enter P           only answers of at least this probability enter it (default 0)
          --leave P           stay while the answer has at least this probability, even if another
                              has more (with --choices; default: as long as it has most)
          --min-interval TIME least time between two starts of the program; with --state also
                              across a restart (default 0)
        """

    /// One question with its rule, as the arguments have it.
    private struct Entry {
        let question: String
        /// The options that were given.
        var names: [String] = []
        var answer: String?
        var words: [String] = []
        var hold: Int?
        var enter: Float?
        var leave: Float?
        var interval: Duration?

        var hasRuleOption: Bool {
            !words.isEmpty || hold != nil || enter != nil || leave != nil || interval != nil
        }
    }

    private var entries: [Entry] = []

    /// The count of questions.
    var count: Int { entries.count }

    init(_ arguments: Arguments) throws(CommandError) {
        for (name, value) in arguments.values {
            if name == "--ask" {
                entries.append(Entry(question: value))
                continue
            }
            guard Self.options.contains(where: { $0.name == name }) else { continue }
            guard !entries.isEmpty else {
                throw .usage("\(name) belongs to the --ask before it, and there is none")
            }
            try Self.read(name, value, into: &entries[entries.count - 1])
        }
        guard !entries.isEmpty else { throw .usage("--ask is missing: --ask \"question\"") }
        for entry in entries where entry.answer == nil && entry.hasRuleOption {
            throw .usage("--when is missing: --ask \"\(entry.question)\" --when ANSWER")
        }
        let choices = Questioner.choices(arguments)
        for entry in entries {
            try Self.validate(entry, choices: choices)
            guard let enter = entry.enter, let leave = entry.leave, leave > enter else { continue }
            throw .usage("--leave is above --enter: the condition could not last")
        }
    }

    /// Makes sure that all programs of rules can be started, as far as that can be known.
    ///
    /// - Throws: which one cannot, and why.
    func checkPrograms() throws(CommandError) {
        for entry in entries {
            guard let program = entry.words.first else { continue }
            if let reason = RuleCommand.reasonAgainstStarting(program) {
                throw CommandError(.unavailable, "--exec: \(program) cannot be started: \(reason)")
            }
            if let processor = RuleCommand.foreignProcessor(of: program) {
                writeNote(
                    "ocellus: --exec: \(program) was built for \(processor), not for this machine; "
                        + "it can be started only if the kernel knows an emulator (binfmt_misc)"
                )
            }
        }
    }

    /// Makes the questions ready to be asked.
    func questions(_ session: borrowing Session) throws(CommandError) -> [StandingQuestion] {
        var questions: [StandingQuestion] = []
        for entry in entries {
            let prompt: Prompt
            do {
                prompt = try session.prompt(entry.question)
            } catch {
                throw CommandError(error)
            }
            questions.append(
                StandingQuestion(entry.question, prompt: prompt, rule: Self.rule(entry))
            )
        }
        return questions
    }

    /// Refuses a rule of which a part has no effect.
    private static func validate(_ entry: Entry, choices: [String]?) throws(CommandError) {
        if entry.interval != nil, entry.words.isEmpty {
            throw .usage("--min-interval belongs to --exec CMD")
        }
        guard let answer = entry.answer, let choices else { return }
        let rule = WatchRule(answer: answer, condition: Hysteresis(), command: nil)
        guard choices.contains(where: { rule.waits(for: $0) }) else {
            throw .usage("--when '\(answer)' is none of the --choices, so it never comes")
        }
    }

    private static func rule(_ entry: Entry) -> WatchRule? {
        guard let answer = entry.answer else { return nil }
        return WatchRule(
            answer: answer,
            condition: Hysteresis(
                hold: entry.hold ?? 1,
                enterProbability: entry.enter ?? 0,
                leaveProbability: entry.leave
            ),
            command: entry.words.isEmpty ? nil : RuleCommand(words: entry.words),
            minimumInterval: entry.interval ?? .zero
        )
    }

    private static func read(
        _ name: String,
        _ value: String,
        into entry: inout Entry
    ) throws(CommandError) {
        guard !entry.names.contains(name) else {
            throw .usage("a question has one \(name); ask it again for another")
        }
        entry.names.append(name)
        switch name {
        case "--when": entry.answer = value
        case "--exec":
            for word in value.split(separator: " ") { entry.words.append(String(word)) }
            guard !entry.words.isEmpty else { throw .usage("--exec names no program") }
        case "--hold": entry.hold = try Arguments.int(name, value, in: 1...1_000_000)
        case "--enter": entry.enter = try Arguments.float(name, value, in: 0...1)
        case "--leave": entry.leave = try Arguments.float(name, value, in: 0...1)
        default: entry.interval = try Arguments.duration(name, value)
        }
    }
}
