// SPDX-License-Identifier: Apache-2.0
import OcellusImage

/// The first line of a Y4M stream: `YUV4MPEG2 W640 H480 F30:1 C420jpeg ...`.
///
/// Accepted are 8-bit 4:2:0 (all chroma sitings), 4:2:2, 4:4:4 and mono. The samples have limited
/// range (mono: full) unless `XCOLORRANGE=FULL` says otherwise.
///
/// - Source: the mjpegtools manual page yuv4mpeg(5); the X tag is ffmpeg's.
struct Y4MHeader {
    /// The size of all frames.
    let size: ImageSize
    /// The layout of all frames.
    let format: PixelFormat
    /// The range of all samples; nil if the header does not say.
    let range: ColorRange?
    /// Frames per second, as a fraction.
    let rate: (numerator: Int64, denominator: Int64)

    /// The first bytes of a stream.
    static let magic: StaticString = "YUV4MPEG2 "

    /// The bytes that a line may have.
    static let lineByteLimit = 1024

    /// Whether these bytes begin a stream.
    static func isMagic(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= magic.utf8CodeUnitCount else { return false }
        for index in 0..<magic.utf8CodeUnitCount {
            // Safety: the index is in the text.
            if unsafe magic.utf8Start[index] != bytes[index] { return false }
        }
        return true
    }

    /// The time of a frame from the start.
    func time(ofFrame number: Int) -> Duration {
        // The rate's parts are at most 10^6, so nothing overflows before 10^12 frames.
        let ticks = Int64(number) * rate.denominator
        let rest = ticks % rate.numerator * 1_000_000_000 / rate.numerator
        return .seconds(ticks / rate.numerator) + .nanoseconds(rest)
    }

    /// Reads the line.
    ///
    /// - Parameters:
    ///   - line: the bytes before the line's end.
    ///   - path: the stream, for errors.
    ///   - limit: the largest frame.
    /// - Throws: `CaptureError.damaged`, `.unsupported`, or `.image(.pictureTooLarge)`.
    init(_ line: ArraySlice<UInt8>, path: String, limit: ImageSize) throws(CaptureError) {
        var width = 0
        var height = 0
        var format = PixelFormat.yuv420
        var range: ColorRange?
        var rate: (numerator: Int64, denominator: Int64) = (25, 1)
        for field in line.split(separator: UInt8(ascii: " ")).dropFirst() {
            let value = String(decoding: field.dropFirst(), as: UTF8.self)
            switch field[field.startIndex] {
            case UInt8(ascii: "W"): width = Int(value) ?? 0
            case UInt8(ascii: "H"): height = Int(value) ?? 0
            case UInt8(ascii: "F"): rate = try Y4MHeader.rate(value, path: path)
            case UInt8(ascii: "C"): format = try Y4MHeader.format(value, path: path)
            case UInt8(ascii: "X") where value == "COLORRANGE=FULL": range = .full
            default: break  // interlacing and aspect ratio change nothing
            }
        }
        guard (1...1 << 20).contains(width), (1...1 << 20).contains(height) else {
            throw .damaged(path: path, reason: "the Y4M header has no possible size")
        }
        size = ImageSize(width: width, height: height)
        guard size.fits(in: limit) else {
            throw .image(.pictureTooLarge(path: path, size: size, limit: limit))
        }
        self.format = format
        self.range = range
        self.rate = rate
    }

    private static func rate(
        _ text: String,
        path: String
    ) throws(CaptureError) -> (numerator: Int64, denominator: Int64) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let numerator = Int64(parts[0]), let denominator = Int64(parts[1]),
            (0...1_000_000).contains(numerator), (0...1_000_000).contains(denominator)
        else { throw .damaged(path: path, reason: "the Y4M frame rate is '\(text)'") }
        // 0:0 means unknown.
        return numerator == 0 || denominator == 0 ? (25, 1) : (numerator, denominator)
    }

    private static func format(_ text: String, path: String) throws(CaptureError) -> PixelFormat {
        switch text {
        case "420", "420jpeg", "420mpeg2", "420paldv": return .yuv420
        case "422": return .yuv422
        case "444": return .yuv444
        case "mono": return .gray8
        default: throw .unsupported(path: path, feature: "Y4M with colour space \(text)")
        }
    }
}
