// SPDX-License-Identifier: Apache-2.0
import CAllocationCounter
import Foundation
import OcellusMemory
import Testing

@testable import OcellusImage

/// What the terminal is told to draw.
@Suite(.serialized) struct TerminalPictureTests {
    private typealias Style = TerminalPicture.Style

    /// A frame of four colours: red, green / blue, white.
    private static func quarters(_ slot: Slot, side: Int) -> Frame {
        for y in 0..<side {
            for x in 0..<side {
                let (right, lower) = (2 * x >= side, 2 * y >= side)
                let first = 3 * (y * side + x)
                slot.bytes[first] = right == lower ? 255 : 0
                slot.bytes[first + 1] = right ? 255 : 0
                slot.bytes[first + 2] = lower ? 255 : 0
            }
        }
        return Frame(slot.bytes, size: ImageSize(width: side, height: side), format: .rgb24)
    }

    private func draw(_ frame: Frame, _ style: Style, rows: Int, columns: Int) -> String {
        var picture = TerminalPicture(style: style)
        var text: [UInt8] = []
        let area = TerminalPicture.Area(row: 2, column: 5, rowCount: rows, columnCount: columns)
        picture.draw(frame, in: area, into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    @Test func blocksHaveTheirColours() {
        let slot = Slot(8 * 8 * 3)
        let frame = Self.quarters(slot, side: 8)
        // One cell high, two wide: the upper half red and green, the lower one blue and white.
        let text = draw(frame, .blocks, rows: 1, columns: 10)
        #expect(
            text == "\u{1B}[2;9H\u{1B}[38;2;255;0;0m\u{1B}[48;2;0;0;255m▀"
                + "\u{1B}[38;2;0;255;0m\u{1B}[48;2;255;255;255m▀\u{1B}[0m"
        )
        let few = draw(frame, .blocks256, rows: 1, columns: 10)
        #expect(
            few == "\u{1B}[2;9H\u{1B}[38;5;196m\u{1B}[48;5;21m▀"
                + "\u{1B}[38;5;46m\u{1B}[48;5;231m▀\u{1B}[0m"
        )
    }

    /// Every colour of the cube and the grays is its own nearest.
    @Test func thePaletteIsXterms() {
        for number in 16..<256 {
            let colour: SIMD3<UInt8>
            if number < 232 {
                let level = [0, 95, 135, 175, 215, 255]
                let step = number - 16
                colour = SIMD3(
                    UInt8(level[step / 36]),
                    UInt8(level[step / 6 % 6]),
                    UInt8(level[step % 6])
                )
            } else {
                colour = SIMD3(repeating: UInt8(8 + 10 * (number - 232)))
            }
            #expect(TerminalPalette.nearest(colour) == number)
        }
    }

    /// Decodes sixels as a terminal does, and compares with the frame.
    @Test func sixelsShowTheFrame() throws {
        let side = 20
        let slot = Slot(side * side * 3)
        let frame = Self.quarters(slot, side: side)
        let cell = ImageSize(width: 8, height: 16)
        let text = draw(frame, .sixel(cell: cell), rows: 5, columns: 20)
        #expect(text.hasPrefix("\u{1B}[3;13H\u{1B}P0;1q\"1;1;20;20#0;2;0;0;0#1;2;0;0;20"))
        #expect(text.hasSuffix("\u{1B}\\"))
        var colours = [Int](repeating: -1, count: side * side)
        var (x, y, colour, count, number) = (0, 0, 0, 1, 0)
        // The palette ends where the first colour without a definition begins.
        let body = try #require(text.range(of: "#215;2;100;100;100")).upperBound
        var isCount = false
        var isColour = false
        func finish() {
            if isColour { colour = number }
            if isCount { count = number }
            (isColour, isCount, number) = (false, false, 0)
        }
        for byte in text[body...].utf8.dropLast(2) {  // what ends the graphics
            switch byte {
            case UInt8(ascii: "#"):
                finish()
                isColour = true
            case UInt8(ascii: "!"):
                finish()
                isCount = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                number = number * 10 + Int(byte) - 48
            case UInt8(ascii: "$"):
                finish()
                x = 0
            case UInt8(ascii: "-"):
                finish()
                x = 0
                y += 6
            case UInt8(ascii: "?")...UInt8(ascii: "~"):
                finish()
                for _ in 0..<count {
                    for bit in 0..<6 where (byte - 63) >> bit & 1 == 1 {
                        colours[(y + bit) * side + x] = colour
                    }
                    x += 1
                }
                count = 1
            default: break
            }
        }
        for y in 0..<side {
            for x in 0..<side {
                let (right, lower) = (x >= 10, y >= 10)
                let expected = (right == lower ? 180 : 0) + (right ? 30 : 0) + (lower ? 5 : 0)
                #expect(colours[y * side + x] == expected)
            }
        }
    }

    @Test func anySizeFitsItsArea() throws {
        var generator = SeededGenerator(seed: 6)
        let slot = Slot(90 * 90 * 3)
        let styles: [Style] = [.blocks, .blocks256, .sixel(cell: ImageSize(width: 7, height: 15))]
        for round in 0..<300 {
            func number(_ limit: Int) -> Int { Int.random(in: 1...limit, using: &generator) }
            let size = ImageSize(width: number(90), height: number(90))
            let (rows, columns) = (number(30), number(60))
            let frame = Frame(slot.bytes, size: size, format: .rgb24)
            let text = draw(frame, styles[round % 3], rows: rows, columns: columns)
            let lines = text.components(separatedBy: "▀\u{1B}[0m").count - 1
            #expect(lines <= rows)
            #expect(text.components(separatedBy: "▀").count - 1 <= rows * columns)
            #expect(round % 3 == 2 || lines > 0)
        }
    }

    @Test(arguments: [0, 1, 2])
    func aSecondFrameAllocatesNothing(index: Int) {
        let slot = Slot(64 * 64 * 3)
        let frame = Self.quarters(slot, side: 64)
        let styles: [Style] = [.blocks, .blocks256, .sixel(cell: ImageSize(width: 8, height: 16))]
        var picture = TerminalPicture(style: styles[index])
        let area = TerminalPicture.Area(row: 1, column: 1, rowCount: 20, columnCount: 60)
        var text: [UInt8] = []
        picture.draw(frame, in: area, into: &text)
        text.removeAll(keepingCapacity: true)
        let before = allocation_count()
        picture.draw(frame, in: area, into: &text)
        #expect(allocation_count() == before)
    }
}
