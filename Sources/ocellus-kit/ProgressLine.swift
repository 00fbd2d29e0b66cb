// SPDX-License-Identifier: Apache-2.0
import Foundation

/// How far a long command is, in one line on standard error; silent if that is no terminal.
struct ProgressLine {
    private let title: String
    private let total: Int
    private let isShown = isatty(FileHandle.standardError.fileDescriptor) == 1
    private var done = 0
    private var percent = -1

    /// A line for a total of this many bytes.
    init(_ title: String, total: Int) {
        self.title = title
        self.total = max(total, 1)
    }

    /// Tells that more bytes are done.
    mutating func advance(by count: Int) {
        done += count
        let percent = done * 100 / total
        guard isShown, percent != self.percent else { return }
        self.percent = percent
        let bar = String(repeating: "#", count: percent * 40 / 100)
        show("\r\(title) [\(padded(bar, to: 40))] \(percent) %")
    }

    /// Clears the line.
    func finish() {
        if isShown { show("\r\u{1B}[K") }
    }

    private func show(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
