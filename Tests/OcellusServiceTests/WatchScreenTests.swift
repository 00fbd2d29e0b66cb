// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusImage
import OcellusMemory
import Testing

@testable import OcellusService

/// The screen of a watch, as a small terminal shows it.
@Suite struct WatchScreenTests {
    /// Enough of a terminal to see where each character ends up.
    private struct Glass {
        private(set) var cells: [[Character]]
        private(set) var left = false
        private var (row, column) = (0, 0)

        init(rows: Int, columns: Int) {
            let line = [Character](repeating: " ", count: columns)
            cells = [[Character]](repeating: line, count: rows)
        }

        func line(_ row: Int) -> String { String(cells[row - 1]) }

        mutating func show(_ text: [UInt8]) {
            var rest = Substring(String(decoding: text, as: UTF8.self))
            while let first = rest.popFirst() {
                guard first == "\u{1B}" else {
                    put(first)
                    continue
                }
                #expect(rest.popFirst() == "[")
                let end = rest.firstIndex { $0.isLetter } ?? rest.startIndex
                let numbers = rest[..<end].split(separator: ";").map { Int($0) ?? 0 }
                switch rest[end] {
                case "H": (row, column) = (numbers[0] - 1, numbers[1] - 1)
                case "J":
                    for row in cells.indices {
                        for column in cells[row].indices { cells[row][column] = " " }
                    }
                case "K": for column in column..<cells[row].count { cells[row][column] = " " }
                default: break
                }
                rest = rest[rest.index(after: end)...]
            }
        }

        private mutating func put(_ character: Character) {
            guard cells.indices.contains(row), cells[row].indices.contains(column) else {
                left = true
                return
            }
            cells[row][column] = character
            column += 1
        }
    }

    private static func frame(_ body: (Frame) -> Void) {
        let bytes = unsafe Bytes(
            base: .allocate(byteCount: 64 * 48 * 3, alignment: 64),
            count: 9216
        )
        defer { unsafe bytes.base.deallocate() }
        for index in 0..<9216 { bytes[index] = UInt8(truncatingIfNeeded: index / 3) }
        body(Frame(bytes, size: ImageSize(width: 64, height: 48), format: .rgb24))
    }

    private static func screen(_ questions: [String]) -> WatchScreen {
        var screen = WatchScreen(style: .blocks, questions: questions)
        screen.title = "/dev/video0"
        screen.figures = "latency 240 ms"
        return screen
    }

    @Test func everythingHasItsPlace() {
        var screen = Self.screen(["Is somebody at the door?", "How many cars are there?"])
        screen.setAnswer(of: 0, to: "yes", probability: 0.85, isOn: true)
        var glass = Glass(rows: 24, columns: 80)
        Self.frame { frame in
            var text: [UInt8] = []
            screen.draw(frame, rows: 24, columns: 80, into: &text)
            glass.show(text)
        }
        #expect(glass.line(1).hasPrefix("/dev/video0 "))
        #expect(glass.line(2).contains("▀▀▀▀▀▀▀▀"))
        #expect(glass.line(20).contains("▀▀▀▀▀▀▀▀"))
        #expect(glass.line(21).hasPrefix("● Is somebody at the door?  yes "))
        #expect(glass.line(21).contains("████████▌·  85 %"))
        #expect(glass.line(22).hasPrefix("  How many cars are there?  ... "))
        #expect(glass.line(24).hasPrefix("latency 240 ms "))
        #expect(!glass.left)
    }

    /// The second drawing clears nothing, and leaves nothing of the first behind.
    @Test func itIsDrawnInPlace() {
        var screen = Self.screen(["What is there?"])
        var glass = Glass(rows: 24, columns: 80)
        Self.frame { frame in
            screen.note = "no picture for a second"
            screen.setAnswer(of: 0, to: "a very long answer indeed", probability: 1, isOn: true)
            var text: [UInt8] = []
            screen.draw(frame, rows: 24, columns: 80, into: &text)
            glass.show(text)
            #expect(glass.line(23).hasPrefix("no picture"))
            screen.note = ""
            screen.setAnswer(of: 0, to: "no", probability: 0.04, isOn: false)
            text = []
            screen.draw(frame, rows: 24, columns: 80, into: &text)
            #expect(!String(decoding: text, as: UTF8.self).contains("\u{1B}[2J"))
            glass.show(text)
        }
        #expect(glass.line(22).hasPrefix("  What is there?  no   "))
        #expect(!glass.line(22).contains("indeed"))
        #expect(glass.line(22).contains("▍·········   4 %"))
        #expect(glass.line(23).allSatisfy { $0 == " " })
    }

    /// No size of a terminal, no question and no answer gets anything outside the screen.
    @Test func nothingLeavesTheScreen() {
        let texts = ["yes", String(repeating: "long ", count: 60), "門口有人嗎？", "e\u{301}tat", ""]
        Self.frame { frame in
            for rows in [1, 3, 5, 10, 24, 60] {
                for columns in [1, 5, 19, 21, 40, 80, 200] {
                    for count in 0..<texts.count {
                        var screen = Self.screen(Array(texts[..<count]))
                        for index in 0..<count {
                            screen.setAnswer(
                                of: index,
                                to: texts[count - index],
                                probability: 0.5,
                                isOn: false
                            )
                        }
                        var text: [UInt8] = []
                        screen.draw(frame, rows: rows, columns: columns, into: &text)
                        var glass = Glass(rows: rows, columns: columns)
                        glass.show(text)
                        #expect(!glass.left, "\(rows) x \(columns), \(count) questions")
                    }
                }
            }
        }
    }

    @Test func textsCannotControlTheTerminal() {
        var screen = Self.screen(["\u{1B}[2J\u{1B}]0;title\u{7}?\n"])
        screen.setAnswer(
            of: 0,
            to: "\u{9B}31m\r\u{202E}evil",
            probability: .nan,
            isOn: false
        )
        var text: [UInt8] = []
        screen.draw(nil, rows: 24, columns: 80, into: &text)
        let drawn = String(decoding: text, as: UTF8.self)
        #expect(drawn.contains(" [2J ]0;title ? "))
        #expect(!drawn.unicodeScalars.contains { [7, 10, 13, 0x9B, 0x202E].contains($0.value) })
    }
}
