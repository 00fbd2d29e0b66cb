// SPDX-License-Identifier: Apache-2.0

/// A region of interest of a frame in pixels: `--crop x,y,w,h`.
public struct CropRectangle: Equatable, Sendable {
    /// The first column.
    public let x: Int
    /// The first row.
    public let y: Int
    /// The count of columns, at least 1.
    public let width: Int
    /// The count of rows, at least 1.
    public let height: Int

    /// A region from its upper left pixel and its size.
    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The whole of a picture.
    public init(all size: ImageSize) {
        self.init(x: 0, y: 0, width: size.width, height: size.height)
    }

    /// Reads `x,y,w,h`.
    ///
    /// - Throws: `ImageError.badCrop` unless these are four numbers, x and y not negative, w and h
    ///   positive.
    public init(parsing text: String) throws(ImageError) {
        var numbers: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Int(part), number >= 0 else { throw .badCrop(text) }
            numbers.append(number)
        }
        guard numbers.count == 4, numbers[2] > 0, numbers[3] > 0 else { throw .badCrop(text) }
        self.init(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])
    }

    /// Whether the region lies in a picture of this size.
    public func fits(in size: ImageSize) -> Bool {
        // Subtractions: the sums of large numbers from a command line could overflow.
        x >= 0 && y >= 0 && width > 0 && height > 0
            && width <= size.width && x <= size.width - width
            && height <= size.height && y <= size.height - height
    }

    /// As the user writes it: `x,y,w,h`.
    public var description: String { "\(x),\(y),\(width),\(height)" }
}
