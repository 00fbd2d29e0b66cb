// SPDX-License-Identifier: Apache-2.0
import OcellusImage
import OcellusMemory

/// Pictures one after the other: one file, the files of a folder, or one from standard input.
struct PictureSequence {
    /// Where a picture's bytes are.
    enum Item {
        case file(String)
        case bytes([UInt8], path: String)
    }

    /// The smallest size that all readable pictures fit into.
    let maximumFrame: ImageSize
    private let items: [Item]
    private let period: Duration
    private let limit: ImageSize
    private let frameCount: Int
    private var position = 0

    /// Reads the headers of all pictures.
    ///
    /// A picture that cannot be read is an error when its turn comes, unless none can be read.
    ///
    /// - Throws: the error of the first picture if there is no readable one.
    init(_ items: [Item], settings: SourceSettings) throws(CaptureError) {
        var size: ImageSize?
        var firstError: ImageError?
        for item in items {
            do {
                let itemSize = try PictureSequence.size(of: item, limit: settings.limit)
                size = size?.union(itemSize) ?? itemSize
            } catch {
                firstError = firstError ?? error
            }
        }
        guard let size else {
            throw firstError.map { .image($0) } ?? .unknownStream(path: settings.displayName)
        }
        maximumFrame = size
        self.items = items
        period = settings.clocklessPeriod
        limit = settings.limit
        frameCount = min(settings.frameCount ?? items.count, items.count)
        isEven = settings.period == nil
    }

    private let isEven: Bool

    /// Decodes the next picture into `slot`; nil after the last one.
    ///
    /// - Throws: `CaptureError.image`; the call after it goes on with the picture after that one.
    mutating func next(into slot: Bytes) throws(CaptureError) -> Frame? {
        guard position < frameCount else { return nil }
        let index =
            isEven
            ? Sampling.evenPosition(position, of: frameCount, in: items.count) : position
        position += 1
        do {
            var frame = try decode(items[index], into: slot)
            frame.number = index
            frame.timestamp = period * index
            return frame
        } catch {
            throw .image(error)
        }
    }

    private func decode(_ item: Item, into slot: Bytes) throws(ImageError) -> Frame {
        let frame: Frame
        switch item {
        case .file(let path):
            frame = try PictureFile.decode(path, into: slot, limit: limit)
        case .bytes(let bytes, let path):
            frame = try PictureDecoder.decode(bytes.span, path: path, into: slot, limit: limit)
        }
        return frame
    }

    private static func size(of item: Item, limit: ImageSize) throws(ImageError) -> ImageSize {
        switch item {
        case .file(let path):
            return try PictureFile.size(of: path, limit: limit)
        case .bytes(let bytes, let path):
            guard let size = try PictureDecoder.size(of: bytes.span, path: path, limit: limit)
            else { throw .unknownFormat(path: path) }
            return size
        }
    }
}
