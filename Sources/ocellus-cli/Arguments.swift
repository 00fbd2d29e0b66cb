// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusCommand

/// One option that a command knows.
struct Option {
    let name: String
    /// What the value is called in messages; nil for a flag.
    let value: String?
    /// Whether it may be given more than once.
    let isRepeatable: Bool

    init(_ name: String, _ value: String? = nil, isRepeatable: Bool = false) {
        self.name = name
        self.value = value
        self.isRepeatable = isRepeatable
    }
}

/// The arguments of a command, split into options and the rest.
///
/// `--name value`, `--name=value`, flags, and `--` before texts that begin with a dash. The same
/// code reads them in both builds: Embedded Swift has neither CommandLine nor ArgumentParser.
struct Arguments {
    /// The arguments that are not options, in order.
    private(set) var positional: [String] = []
    /// All options in the order of the command line, flags with an empty value.
    private(set) var values: [(name: String, value: String)] = []

    /// The program's arguments, without its name.
    static func ofProcess() -> [String] {
        var texts: [String] = []
        for index in 1..<max(1, Int(clibc_argument_count())) {
            // Safety: the system passes argc strings, each ended by a zero, that never change.
            if let text = unsafe clibc_arguments()[index] {
                texts.append(unsafe String(cString: text))
            }
        }
        return texts
    }

    /// Splits the arguments of a command.
    ///
    /// - Throws: a usage error for an unknown option, one without its value, or two values of one that
    ///   takes one.
    init(_ texts: [String], options: [Option], command: String) throws(CommandError) {
        var index = 0
        var onlyPositional = false
        while index < texts.count {
            let text = texts[index]
            index += 1
            if onlyPositional || !text.hasPrefix("-") || text == "-" {
                positional.append(text)
                continue
            }
            if text == "--" {
                onlyPositional = true
                continue
            }
            let (name, inlineValue) = Self.split(text)
            guard let option = options.first(where: { $0.name == name }) else {
                throw .usage("unknown option \(name); see: ocellus \(command) --help")
            }
            guard let valueName = option.value else {
                guard inlineValue == nil else { throw .usage("\(name) takes no value") }
                values.append((name, ""))
                continue
            }
            guard option.isRepeatable || !has(name) else { throw .usage("\(name) is given twice") }
            if let inlineValue {
                values.append((name, inlineValue))
            } else if index < texts.count, !texts[index].hasPrefix("--") {
                values.append((name, texts[index]))
                index += 1
            } else {
                throw .usage("\(name) needs a value: \(name) \(valueName)")
            }
        }
    }

    /// Whether a flag or an option was given.
    func has(_ name: String) -> Bool {
        values.contains { $0.name == name }
    }

    /// The value of an option.
    func string(_ name: String) -> String? {
        values.first { $0.name == name }?.value
    }

    /// Refuses options that have no effect.
    ///
    /// - Parameters:
    ///   - names: the options.
    ///   - reason: why, as the end of a sentence that begins with the option.
    /// - Throws: a usage error for the first of them that was given.
    func refuse(_ names: [String], _ reason: String) throws(CommandError) {
        for entry in values where names.contains(entry.name) {
            throw .usage("\(entry.name) \(reason)")
        }
    }

    /// All values of an option that may be repeated.
    func strings(_ name: String) -> [String] {
        var all: [String] = []
        for entry in values where entry.name == name { all.append(entry.value) }
        return all
    }

    /// The value of an option that the command cannot do without.
    func required(_ name: String, _ valueName: String) throws(CommandError) -> String {
        guard let value = string(name) else {
            throw .usage("\(name) is missing: \(name) \(valueName)")
        }
        return value
    }

    /// A whole number within a range.
    func int<Value: FixedWidthInteger>(
        _ name: String,
        default fallback: Value,
        in range: ClosedRange<Value>
    ) throws(CommandError) -> Value {
        guard let text = string(name) else { return fallback }
        return try Self.int(name, text, in: range)
    }

    /// A whole number within a range, of one among repeated options.
    static func int<Value: FixedWidthInteger>(
        _ name: String,
        _ text: String,
        in range: ClosedRange<Value>
    ) throws(CommandError) -> Value {
        guard let value = Value(text), range ~= value else {
            throw .usage(
                "\(name) '\(text)' is not a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound)"
            )
        }
        return value
    }

    /// A number within a range.
    func float(
        _ name: String,
        default fallback: Float,
        in range: ClosedRange<Float>
    ) throws(CommandError) -> Float {
        guard let text = string(name) else { return fallback }
        return try Self.float(name, text, in: range)
    }

    /// A number within a range, of one among repeated options.
    static func float(
        _ name: String,
        _ text: String,
        in range: ClosedRange<Float>
    ) throws(CommandError) -> Float {
        guard let value = Float(text), range ~= value else {
            throw .usage(
                "\(name) '\(text)' is not a number from \(decimal(Double(range.lowerBound), 2)) "
                    + "to \(decimal(Double(range.upperBound), 2))"
            )
        }
        return value
    }

    /// A time such as `500ms`, `1s`, `2.5s` or `1m`; a bare number is in seconds.
    func duration(_ name: String) throws(CommandError) -> Duration? {
        guard let text = string(name) else { return nil }
        return try Self.duration(name, text)
    }

    /// A time, of one among repeated options.
    static func duration(_ name: String, _ text: String) throws(CommandError) -> Duration {
        let units: [(suffix: String, milliseconds: Double)] = [
            ("ms", 1), ("s", 1e3), ("m", 60e3), ("h", 3600e3), ("", 1e3),
        ]
        for unit in units where text.hasSuffix(unit.suffix) {
            let digits = String(text.dropLast(unit.suffix.utf8.count))
            guard let value = Double(digits) else { break }
            let milliseconds = value * unit.milliseconds
            guard milliseconds >= 1, milliseconds < 1e10 else { break }
            return .milliseconds(Int(milliseconds))
        }
        throw .usage("\(name) '\(text)' is not a time of at least 1ms, such as 500ms, 1s or 2m")
    }

    private static func split(_ text: String) -> (name: String, value: String?) {
        let bytes = Array(text.utf8)
        guard let sign = bytes.firstIndex(of: UInt8(ascii: "=")) else { return (text, nil) }
        return (
            String(decoding: bytes[..<sign], as: UTF8.self),
            String(decoding: bytes[(sign + 1)...], as: UTF8.self)
        )
    }
}
