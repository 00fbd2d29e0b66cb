// SPDX-License-Identifier: Apache-2.0
public import OcellusImage

/// What a terminal shows of a watch: the picture, below it each question with its answer, notes and
/// figures.
///
///     a line of where the pictures come from
///     the picture
///     a line for each question: the question, the answer, how probable it is
///     a note, if there is one
///     a line of figures
///
/// Everything is drawn in place, and a terminal that knows how shows it at once, so nothing flickers.
/// Texts from outside cannot control the terminal.
public struct WatchScreen {
    /// The first line.
    public var title = ""
    /// The last line.
    public var figures = ""
    /// The line above it; empty for none.
    public var note = ""

    private var lines: [AnswerLine]
    private var picture: TerminalPicture
    /// What was drawn the last time: another layout needs an empty screen.
    private var layout: Layout?

    private struct AnswerLine {
        let question: String
        var answer: String?
        var probability: Float = 0
        var isOn = false
    }

    private struct Layout: Equatable {
        var rows: Int
        var columns: Int
        var frameSize: ImageSize?
    }

    /// Below this there is room for answers only.
    private static let leastRowCount = 5
    /// The cells of a bar that is full.
    private static let barCellCount = 10
    /// The cells behind an answer: two spaces, the bar, a space, `100 %`.
    private static let probabilityCellCount = barCellCount + 8

    /// A screen without a picture or an answer yet.
    public init(style: TerminalPicture.Style, questions: [String]) {
        picture = TerminalPicture(style: style)
        lines = []
        for question in questions { lines.append(AnswerLine(question: question)) }
    }

    /// Sets what was answered.
    ///
    /// - Parameters:
    ///   - index: which question.
    ///   - answer: the answer.
    ///   - probability: how probable it is, 0 to 1.
    ///   - isOn: whether the condition of the question's rule holds.
    public mutating func setAnswer(
        of index: Int,
        to answer: String,
        probability: Float,
        isOn: Bool
    ) {
        lines[index].answer = answer
        lines[index].probability = probability
        lines[index].isOn = isOn
    }

    /// Forgets what is on the screen, so that the next drawing begins with an empty one.
    public mutating func invalidate() {
        layout = nil
    }

    /// Appends what draws the screen.
    ///
    /// - Parameters:
    ///   - frame: the picture; nil before the first.
    ///   - rows: the rows of the terminal.
    ///   - columns: its columns.
    ///   - text: where the drawing goes.
    public mutating func draw(
        _ frame: Frame?,
        rows: Int,
        columns: Int,
        into text: inout [UInt8]
    ) {
        text.append("\u{1B}[?2026h")  // show nothing until the end
        let now = Layout(rows: rows, columns: columns, frameSize: frame?.size)
        if now != layout { text.append("\u{1B}[2J") }
        layout = now
        defer { text.append("\u{1B}[?2026l") }
        guard rows >= WatchScreen.leastRowCount else {
            for index in 0..<min(rows, lines.count) {
                draw(lines[index], row: index + 1, columns: columns, into: &text)
            }
            return
        }
        // The picture gets at least half of the screen.
        let lineCount = min(lines.count, max(1, rows / 2 - 3))
        let firstLine = rows - 1 - lineCount
        if let frame {
            let area = TerminalPicture.Area(
                row: 2,
                column: 1,
                rowCount: firstLine - 2,
                columnCount: columns
            )
            picture.draw(frame, in: area, into: &text)
        }
        write(title, style: "2", row: 1, columns: columns, into: &text)
        for index in 0..<lineCount {
            draw(lines[index], row: firstLine + index, columns: columns, into: &text)
        }
        let hidden = lines.count - lineCount
        let more = hidden > 0 && note.isEmpty ? "\(hidden) more questions" : note
        write(more, style: "33", row: rows - 1, columns: columns, into: &text)
        write(figures, style: "2", row: rows, columns: columns, into: &text)
    }

    /// One line, such as `Is there a person?   yes   ████████▌    85 %`.
    private func draw(_ line: AnswerLine, row: Int, columns: Int, into text: inout [UInt8]) {
        let hasProbability = columns > 2 * WatchScreen.probabilityCellCount
        // A mark before the question, two spaces behind it.
        let room = columns - 4 - (hasProbability ? WatchScreen.probabilityCellCount : 0)
        guard room > 0 else { return }
        // Questions are lined up, and leave the answers a third.
        var longest = 0
        for line in lines { longest = max(longest, cellCount(line.question)) }
        let questionRoom = min(longest, room * 2 / 3)
        text.moveCursor(row: row, column: 1)
        text.append(line.isOn ? "\u{1B}[31m\u{25CF}\u{1B}[0m " : "  ")
        write(line.question, cells: questionRoom, into: &text)
        text.append("  \u{1B}[1m")
        let answerRoom = room - questionRoom
        write(line.answer ?? "...", cells: answerRoom, into: &text)
        text.append("\u{1B}[0m")
        if line.answer != nil, hasProbability { drawProbability(line.probability, into: &text) }
        text.append("\u{1B}[K")
    }

    private func drawProbability(_ probability: Float, into text: inout [UInt8]) {
        let share = max(0, min(1, probability))  // not a number: 0
        let eighths = Int(share * Float(8 * WatchScreen.barCellCount) + 0.5)
        text.append("  \u{1B}[32m")
        for cell in 0..<WatchScreen.barCellCount {
            switch max(0, min(8, eighths - 8 * cell)) {
            case 0: text.append("\u{1B}[2m\u{00B7}\u{1B}[22m")
            // U+2588 is the full block, and each one after it an eighth narrower.
            case let filled: text.append(contentsOf: [0xE2, 0x96, UInt8(0x88 + 8 - filled)])
            }
        }
        let percent = Int(share * 100 + 0.5)
        text.append("\u{1B}[0m ")
        if percent < 100 { text.append(" ") }
        if percent < 10 { text.append(" ") }
        text.append(number: percent)
        text.append(" %")
    }

    private func write(
        _ line: String,
        style: StaticString,
        row: Int,
        columns: Int,
        into text: inout [UInt8]
    ) {
        text.moveCursor(row: row, column: 1)
        text.append("\u{1B}[")
        text.append(style)
        text.append("m")
        write(line, cells: columns - 1, into: &text)
        text.append("\u{1B}[0m\u{1B}[K")
    }

    /// Appends a text, cut off or filled up to a count of cells, without anything that controls.
    private func write(_ line: String, cells: Int, into text: inout [UInt8]) {
        guard cells > 0 else { return }
        let isCut = cellCount(line) > cells
        let limit = isCut ? cells - 1 : cells
        var used = 0
        for scalar in line.unicodeScalars {
            let width = WatchScreen.width(scalar)
            guard used + width <= limit else { break }
            used += width
            text.append(contentsOf: WatchScreen.harmless(scalar).utf8)
        }
        if isCut {
            text.append("\u{2026}")
            used += 1
        }
        while used < cells {
            text.append(" ")
            used += 1
        }
    }

    private func cellCount(_ text: String) -> Int {
        var count = 0
        for scalar in text.unicodeScalars { count += WatchScreen.width(scalar) }
        return count
    }

    /// A space for characters that terminals obey.
    private static func harmless(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: " "
        default: scalar
        }
    }

    /// The cells of a character: East Asian ones and pictographs take two, marks none.
    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x300...0x36F: 0
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            2
        default: 1
        }
    }
}
