// SPDX-License-Identifier: Apache-2.0
import OcellusImage

/// What a terminal answers when it is asked for the size of its cells and for its attributes:
/// `ESC [ 6 ; height ; width t` and `ESC [ ? class ; attribute ; ... c`.
struct SixelAnswer {
    /// The size of a cell in pixels; nil without sixel graphics or without a size.
    let cell: ImageSize?

    /// The number of sixel graphics among the attributes.
    private static let sixelAttribute = 4

    /// Reads the answers.
    ///
    /// - Parameters:
    ///   - bytes: what came from the terminal, keys that were pressed meanwhile included.
    ///   - known: the size of a cell, if the system knows it.
    init(_ bytes: [UInt8], cell known: ImageSize?) {
        var cell = known
        var hasSixel = false
        for part in bytes.split(separator: 0x1B) {
            guard let last = part.last, part.first == UInt8(ascii: "[") else { continue }
            let isAttributes = part.dropFirst().first == UInt8(ascii: "?")
            let numbers = part.dropFirst(isAttributes ? 2 : 1).dropLast()
                .split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
                .map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
            if last == UInt8(ascii: "c"), isAttributes {
                hasSixel = numbers.dropFirst().contains(SixelAnswer.sixelAttribute)
            } else if last == UInt8(ascii: "t"), numbers.count == 3, numbers[0] == 6,
                (1...200).contains(numbers[1]), (1...200).contains(numbers[2])
            {
                cell = ImageSize(width: numbers[2], height: numbers[1])
            }
        }
        self.cell = hasSixel ? cell : nil
    }
}
