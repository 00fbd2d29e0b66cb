// SPDX-License-Identifier: Apache-2.0
import OcellusImage
import OcellusMemory

/// Uncompressed video with a clock: Y4M, from a file or a pipe.
struct Y4MStream: ~Copyable {
    private let header: Y4MHeader
    private let frameCount: Int
    private let sampling: Sampling
    /// The frames of the whole stream, if it is a file.
    private let totalFrameCount: Int?
    private let input: InputStream
    /// The frame that the stream is at.
    private var position = 0
    /// How many frames were taken.
    private var takenCount = 0

    /// The size of all frames.
    var size: ImageSize { header.size }

    /// Reads the header.
    ///
    /// - Throws: as `Y4MHeader.init`; `CaptureError.lengthUnknown` if frames are to be spread evenly
    ///   over a stream that is not a file.
    init(_ input: InputStream, settings: SourceSettings) throws(CaptureError) {
        guard let line = try input.readLine(limit: Y4MHeader.lineByteLimit) else {
            throw .damaged(path: input.path, reason: "the Y4M header has no end")
        }
        let header = try Y4MHeader(line[...], path: input.path, limit: settings.limit)
        // "FRAME" and a line's end; parameters of a frame are rare, and make this a little too large.
        let frameByteCount = 6 + header.format.byteCount(of: header.size)
        let total = input.byteCount.map { ($0 - line.count - 1) / frameByteCount }
        if case .evenly = settings.sampling, total == nil {
            throw .lengthUnknown(path: input.path)
        }
        self.header = header
        sampling = settings.sampling
        // Spread evenly, what is behind the last frame is read too, for a cut to show.
        frameCount = settings.period == nil ? .max : settings.frameCount ?? .max
        totalFrameCount = total
        self.input = input
    }

    /// Reads the next wanted frame into `slot`; nil at the end.
    ///
    /// - Throws: `CaptureError.incomplete` if the stream ends within a frame, `.damaged` if that is the
    ///   first one, or `.image(.slotTooSmall)`.
    mutating func next(into slot: Bytes) throws(CaptureError) -> Frame? {
        let byteCount = header.format.byteCount(of: header.size)
        guard byteCount <= slot.count else {
            throw .image(
                .slotTooSmall(
                    path: input.path,
                    neededBytes: byteCount,
                    availableBytes: slot.count
                )
            )
        }
        while takenCount < frameCount, try readFrame(into: slot, byteCount: byteCount) {
            let number = position
            position += 1
            guard isWanted(number) else { continue }
            takenCount += 1
            return Frame(
                slot,
                size: header.size,
                format: header.format,
                range: header.range,
                timestamp: header.time(ofFrame: number),
                number: number
            )
        }
        return nil
    }

    private func isWanted(_ number: Int) -> Bool {
        switch sampling {
        case .all: true
        case .every(let period): header.time(ofFrame: number) >= period * takenCount
        case .evenly(let count):
            number
                >= Sampling.evenPosition(takenCount, of: count, in: totalFrameCount ?? 0)
        }
    }

    /// - Returns: false at the end of the stream.
    private mutating func readFrame(into slot: Bytes, byteCount: Int) throws(CaptureError) -> Bool {
        try input.lookAhead(1)
        if input.lookahead.isEmpty { return false }
        guard try input.skipLine(beginningWith: "FRAME", limit: Y4MHeader.lineByteLimit) else {
            throw cut("Y4M frame \(position) does not begin with FRAME")
        }
        let got = try input.read(into: slot, count: byteCount)
        guard got == byteCount else {
            throw cut("Y4M frame \(position) needs \(byteCount) bytes and has \(got)")
        }
        return true
    }

    private func cut(_ reason: String) -> CaptureError {
        .cut(
            path: input.path,
            reason: reason,
            time: header.time(ofFrame: position),
            frameCount: position
        )
    }
}
