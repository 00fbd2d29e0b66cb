// SPDX-License-Identifier: Apache-2.0
import OcellusImage

/// Any video that ffmpeg reads, as a stream of PPM pictures from a child process.
enum FFmpeg {
    private static let program = "ffmpeg"

    /// Starts ffmpeg on a video and reads the first header.
    ///
    /// Samples by the `fps` filter: one frame per period is the one that is shown at its start; of
    /// frames that are spread evenly, each is the one in the middle of its share.
    ///
    /// - Throws: `CaptureError.programMissing`, `.programFailed` or `.lengthUnknown`.
    static func open(_ settings: SourceSettings) throws(CaptureError) -> NetpbmStream {
        let input = FFmpegInput(settings.path)
        var clock = NetpbmStream.Clock()
        var filter: String
        switch settings.sampling {
        case .every(let period):
            clock.period = period
            filter = "fps=fps=1000000000/\(period.nanoseconds):round=up"
        case .evenly(let count):
            let video = try VideoInfo(settings)
            guard let duration = video.duration else {
                throw .lengthUnknown(path: settings.displayName)
            }
            // More than the video has would be the same pictures again.
            clock.period = duration / min(count, video.frameCount(in: duration))
            clock.start = clock.period / 2
            filter = "fps=fps=1000000000/\(max(1, clock.period.nanoseconds)):round=near"
        case .all:
            let rate = try VideoInfo(settings).rate
            clock.period = .nanoseconds(1_000_000_000 * rate.denominator / rate.numerator)
            filter = "fps=fps=\(rate.numerator)/\(rate.denominator)"
        }
        var arguments = ["-nostdin", "-v", "error"] + input.arguments
        arguments += ["-map", "0:v:0", "-vf", filter]
        if let count = settings.frameCount { arguments += ["-frames:v", "\(count)"] }
        arguments += ["-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "pipe:1"]
        let process = try ChildProcess(
            program,
            arguments,
            input: input.standardInput,
            path: settings.displayName
        )
        return try NetpbmStream(
            InputStream(process, of: settings.path, stop: settings.stop),
            settings: settings,
            program: program,
            clock: clock
        )
    }
}
