// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusCommand
import OcellusImage

/// The whole screen of the terminal that standard output is; given back with the last reference, and
/// by every signal that ends or pauses the program.
///
/// While the program is in the background, the screen is the shell's.
final class Terminal {
    /// The size in character cells.
    struct Size: Equatable {
        var rows: Int
        var columns: Int
    }

    /// What the terminal can show.
    let style: TerminalPicture.Style

    /// Takes the screen.
    ///
    /// - Throws: a usage error if standard output is not a terminal, or one that cannot draw.
    init() throws(CommandError) {
        guard Terminal.environment("TERM") != "dumb" else {
            throw .usage(
                "--view draws, and this terminal cannot (TERM=dumb); without it, answers are lines"
            )
        }
        guard clibc_terminal_take(STDIN_FILENO, STDOUT_FILENO) == 0 else {
            throw .usage(
                "--view draws in a terminal, and standard output is none; without it, answers are "
                    + "lines"
            )
        }
        style = Terminal.style()
    }

    deinit { clibc_terminal_release() }

    /// Takes the screen if the program is in the foreground; whether it is.
    func show() -> Bool { clibc_terminal_show() != 0 }

    /// The size now: the user may change it at any time.
    var size: Size {
        let (cells, _) = Terminal.measure()
        return cells
    }

    /// Writes all bytes; if the terminal is gone, a signal ends the program.
    func write(_ bytes: [UInt8]) {
        var written = 0
        while written < bytes.count {
            // Safety: the rest of the bytes.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe CLibc.write(
                    STDOUT_FILENO,
                    buffer.baseAddress?.advanced(by: written),
                    buffer.count - written
                )
            }
            if count < 0, clibc_errno() == EINTR { continue }
            guard count > 0 else { return }
            written += count
        }
    }

    /// Sixel if the terminal says so; else as many colours as its environment promises.
    private static func style() -> TerminalPicture.Style {
        if let cell = sixelCell() { return .sixel(cell: cell) }
        switch environment("COLORTERM") {
        case "truecolor", "24bit": return .blocks
        default: return .blocks256
        }
    }

    /// Asks the terminal what it is (primary device attributes) and how large its cells are.
    ///
    /// - Returns: the size of a cell in pixels; nil if it has no sixel graphics, does not say, or does
    ///   not answer in time.
    private static func sixelCell() -> ImageSize? {
        let terminal = STDOUT_FILENO
        guard clibc_terminal_show() != 0, isatty(STDIN_FILENO) == 1 else { return nil }
        // The second question is answered by all terminals, so its answer ends the first's.
        let question: [UInt8] = Array("\u{1B}[16t\u{1B}[c".utf8)
        let sent = unsafe question.withUnsafeBytes { buffer in
            unsafe CLibc.write(terminal, buffer.baseAddress, buffer.count)
        }
        guard sent == question.count else { return nil }
        var answer: [UInt8] = []
        while answer.last != UInt8(ascii: "c"), answer.count < 256 {
            guard clibc_wait_readable(STDIN_FILENO, -1, -1, 300_000_000) == 1 else { return nil }
            var byte: UInt8 = 0
            guard unsafe read(STDIN_FILENO, &byte, 1) == 1 else { return nil }
            answer.append(byte)
        }
        return SixelAnswer(answer, cell: measure().cell).cell
    }

    private static func measure() -> (size: Size, cell: ImageSize?) {
        var (columns, rows, width, height): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
        guard unsafe clibc_terminal_size(STDOUT_FILENO, &columns, &rows, &width, &height) == 0,
            columns > 0, rows > 0
        else { return (Size(rows: 24, columns: 80), nil) }
        let cell = ImageSize(width: Int(width / columns), height: Int(height / rows))
        return (
            Size(rows: Int(rows), columns: Int(columns)),
            cell.width > 0 && cell.height > 0 ? cell : nil
        )
    }

    private static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)  // Safety: ends with a zero.
    }
}
