// SPDX-License-Identifier: Apache-2.0
import OcellusImage
import OcellusMemory

/// PPM or PGM pictures one after the other: from a file, a pipe, or a program such as ffmpeg.
struct NetpbmStream: ~Copyable {
    /// The time of the n-th frame: the first one's, and the time between two.
    struct Clock {
        var start = Duration.zero
        var period = Duration.zero
    }

    /// The size of the first frame; no frame may be larger.
    let size: ImageSize
    private let clock: Clock
    private let frameCount: Int
    /// The program that writes the stream, if any.
    private let program: String?
    private let stride: (count: Int, total: Int)?
    private let input: InputStream
    private var position = 0
    private var takenCount = 0
    /// The position at which the program that writes the stream first complained.
    private var firstComplaint: Int?

    /// Reads the first header.
    ///
    /// - Throws: `CaptureError.image`; `.programFailed` if a program gave no frame;
    ///   `.lengthUnknown` if frames are to be spread evenly over a stream that is not a file.
    init(
        _ input: InputStream,
        settings: SourceSettings,
        program: String? = nil,
        clock: Clock
    ) throws(CaptureError) {
        guard let header = try input.netpbmHeader() else {
            if let program, let reason = input.failureOfProgram(orComplaints: true) {
                throw .programFailed(program: program, path: input.path, reason: reason)
            }
            throw .damaged(path: input.path, reason: "it has no frames")
        }
        guard header.size.fits(in: settings.limit) else {
            throw .image(
                .pictureTooLarge(path: input.path, size: header.size, limit: settings.limit)
            )
        }
        if case .evenly(let count) = settings.sampling, program == nil {
            guard let byteCount = input.byteCount else {
                throw .lengthUnknown(path: input.path)
            }
            let frameByteCount = header.byteCount + header.format.byteCount(of: header.size)
            stride = (count, byteCount / frameByteCount)
        } else {
            stride = nil
        }
        size = header.size
        // Spread evenly, what is behind the last frame is read too, for a cut to show.
        frameCount = stride == nil ? settings.frameCount ?? .max : .max
        self.clock = clock
        self.program = program
        self.input = input
    }

    /// Reads the next wanted frame into `slot`; nil at the end.
    ///
    /// - Throws: `CaptureError.incomplete` at the end of a video of which a program could not read all,
    ///   if the stream ends within a frame, or if a frame is larger than the first; `.damaged` if it ends
    ///   within the first one; `.image(.slotTooSmall)`.
    mutating func next(into slot: Bytes) throws(CaptureError) -> Frame? {
        while takenCount < frameCount {
            let next: NetpbmHeader?
            do throws(CaptureError) {
                next = try input.netpbmHeader()
            } catch {
                switch error {
                case .image(.damaged(_, let reason)): throw cut(reason)
                case .image(let other): throw cut(other.description)
                default: throw error
                }
            }
            guard let header = next else {
                try checkEnd()
                return nil
            }
            guard header.size.fits(in: size) else {
                throw cut(
                    "frame \(position) has \(header.size.description) pixels, and the first one "
                        + size.description
                )
            }
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
            input.skip(header.byteCount)
            let got = try input.read(into: slot, count: byteCount)
            guard got == byteCount else {
                throw cut("frame \(position) needs \(byteCount) bytes and has \(got)")
            }
            let number = position
            position += 1
            if firstComplaint == nil, input.programHasComplained { firstComplaint = number }
            if let stride,
                number < Sampling.evenPosition(takenCount, of: stride.count, in: stride.total)
            {
                continue
            }
            takenCount += 1
            return Frame(
                slot,
                size: header.size,
                format: header.format,
                timestamp: clock.start + clock.period * number,
                number: number
            )
        }
        return nil
    }

    private func cut(_ reason: String) -> CaptureError {
        .cut(
            path: input.path,
            reason: reason,
            time: clock.start + clock.period * position,
            frameCount: position
        )
    }

    /// Throws if the program that wrote the stream has met errors.
    private func checkEnd() throws(CaptureError) {
        guard let program, let reason = input.failureOfProgram(orComplaints: true) else { return }
        throw .incomplete(
            path: input.path,
            reason: "\(program) reports \(reason)",
            time: clock.start + clock.period * (firstComplaint ?? position),
            frameCount: position
        )
    }
}

extension InputStream {
    /// Looks ahead at the header of the next picture; nil at the end of the stream.
    ///
    /// White space between pictures is passed over, as netpbm's programs do.
    ///
    /// - Throws: `CaptureError.image`.
    fileprivate func netpbmHeader() throws(CaptureError) -> NetpbmHeader? {
        try lookAhead(1)
        while let byte = lookahead.first, byte == 0x20 || 0x09...0x0D ~= byte {
            skip(1)
            try lookAhead(1)
        }
        if lookahead.isEmpty { return nil }
        var wanted = 0
        while true {
            wanted = min(lookahead.count + 1, NetpbmHeader.byteCountLimit)
            do {
                if let header = try NetpbmHeader(
                    lookahead.span,
                    isComplete: isAtEnd,
                    path: path
                ) {
                    return header
                }
            } catch {
                throw .image(error)
            }
            try lookAhead(wanted)
        }
    }
}
