// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Prints a value as one line of JSON.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// Prints a line that may have names of a file in it.
func printLine(_ text: String) {
    print(printable(text))
}

/// A text with escapes for control characters: a terminal would do what they say.
func printable(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
        result +=
            scalar.properties.generalCategory == .control
            ? scalar.escaped(asASCII: false) : String(scalar)
    }
}

/// A text with spaces behind it, for a column of this width.
func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}
