// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The front matter of a model's README.md: the texts of its top level, which is all that is read of YAML.
///
/// - Source: Hugging Face's "Model cards", YAML 1.2.2, sections 6.6, 7.3 and 7.4.
struct ModelCard {
    /// The values of each key: one, or those of a list.
    private var values: [String: [String]] = [:]

    /// Reads a file; nil if there is none, or nothing before its text.
    init?(path: String) {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        var text = String(decoding: data, as: UTF8.self)
        if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
        // A return and a line feed are one character.
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        guard let first = lines.first, Self.isBorder(first) else { return nil }
        var key: String?
        for line in lines.dropFirst().prefix(while: { !Self.isBorder($0) }) {
            let content = line.trimmingCharacters(in: .whitespaces)
            if let key, content.hasPrefix("- ") {
                values[key, default: []] += [Self.scalar(content.dropFirst(2))]
            } else if let colon = line.firstIndex(of: ":"), line.first?.isLetter ?? false {
                key = String(line[..<colon])
                values[String(line[..<colon])] = Self.values(line[line.index(after: colon)...])
            }
        }
    }

    /// The licence, by its own name where Hugging Face has none for it; several with commas.
    var license: String? {
        let licenses = values["license"] ?? []
        let named = licenses == ["other"] ? values["license_name"] ?? licenses : licenses
        let texts = named.filter { !["", "~", "null"].contains($0) }
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }

    private static func isBorder(_ line: Substring) -> Bool {
        line.hasPrefix("---") && line.dropFirst(3).allSatisfy(\.isWhitespace)
    }

    /// What is behind a key: nothing before a list of lines, a list in brackets, or one value.
    private static func values(_ text: Substring) -> [String] {
        let content = text.trimmingCharacters(in: .whitespaces)
        guard content.hasPrefix("["), let end = content.lastIndex(of: "]") else {
            let value = scalar(text)
            return value.isEmpty ? [] : [value]
        }
        return content[..<end].dropFirst().split(separator: ",").map(scalar)
    }

    /// A text without quotes around it, a comment behind it, and space.
    private static func scalar(_ text: Substring) -> String {
        let content = text.trimmingCharacters(in: .whitespaces)
        if let quote = content.first, quote == "\"" || quote == "'",
            let end = content.dropFirst().firstIndex(of: quote)
        {
            return String(content[..<end].dropFirst())
        }
        guard !content.hasPrefix("#") else { return "" }
        let comment = content.range(of: " #") ?? content.range(of: "\t#")
        return content[..<(comment?.lowerBound ?? content.endIndex)]
            .trimmingCharacters(in: .whitespaces)
    }
}
