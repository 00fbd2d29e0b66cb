// SPDX-License-Identifier: Apache-2.0

/// What ffprobe says about the first video stream of a source.
struct VideoInfo {
    /// Whether there is one.
    private(set) var isThere = false
    /// Whether anything of the source's streams can be read.
    private(set) var hasContent = false
    /// How long it is, if the container or the stream says so.
    private(set) var duration: Duration?
    /// Frames per second, as a fraction; 25 if the container does not say.
    private(set) var rate: (numerator: Int64, denominator: Int64) = (25, 1)

    private static let program = "ffprobe"
    private static let outputLimit = 4096

    /// How long ffprobe may take to connect and look at the stream's start.
    private static let patience = Duration.seconds(20)

    /// Runs ffprobe.
    ///
    /// - Throws: `CaptureError.programMissing` or `.programFailed`.
    init(_ settings: SourceSettings) throws(CaptureError) {
        let input = FFmpegInput(settings.path)
        // One packet is read, for its tag. Of any stream: where there is only sound, and no end of it,
        // ffprobe would look for a picture for ever.
        let entries =
            "packet=size:packet_tags=\(FFmpegInput.lengthTag)"
            + ":stream=codec_type,avg_frame_rate,duration:format=duration"
        let process = try ChildProcess(
            VideoInfo.program,
            [
                // Warnings have the status of HTTP.
                "-v", "warning", "-read_intervals", "%+#1", "-show_entries", entries,
                "-of", "compact",
            ] + input.arguments,
            input: input.standardInput,
            path: settings.displayName
        )
        let output = InputStream(process, of: settings.path, stop: settings.stop)
        output.patience = VideoInfo.patience
        let bytes = try output.readAll(limit: VideoInfo.outputLimit)
        let reason =
            output.wasSilent
            ? "no answer for \(VideoInfo.patience.roundedText)" : output.failureOfProgram()
        if let reason {
            throw .programFailed(program: VideoInfo.program, path: output.path, reason: reason)
        }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            read(String(decoding: line, as: UTF8.self).split(separator: "|"))
        }
    }

    /// About how many frames the video has, at least one.
    func frameCount(in duration: Duration) -> Int {
        let seconds =
            Double(duration.components.seconds)
            + Double(duration.components.attoseconds) / 1e18
        let count = seconds * Double(rate.numerator) / Double(rate.denominator)
        return max(1, Int(min(count.rounded(), 1e9)))
    }

    /// Reads a line such as `stream|codec_type=video|avg_frame_rate=30000/1001|duration=12.5` or, of an
    /// address, `packet|size=258|tag:lavf.concatdec.duration=12500000`; packets come before the streams,
    /// these before the container.
    private mutating func read(_ fields: [Substring]) {
        switch fields.first {
        case "packet": hasContent = true
        case "stream":
            // Sound, or a second video.
            guard !isThere, fields.contains("codec_type=video") else { return }
            isThere = true
        default: break
        }
        for field in fields { readField(field) }
    }

    private mutating func readField(_ field: Substring) {
        let parts = field.split(separator: "=")
        guard parts.count == 2 else { return }
        if parts[0] == "duration", duration == nil, let seconds = Double(String(parts[1])),
            seconds > 0, seconds < 1e9
        {
            duration = .nanoseconds(Int64(seconds * 1e9))
        }
        if parts[0] == "tag:" + FFmpegInput.lengthTag, let length = Int64(parts[1]),
            (1..<1_000_000_000_000_000).contains(length)
        {
            duration = .microseconds(length)
        }
        if parts[0] == "avg_frame_rate" {
            let fraction = parts[1].split(separator: "/")
            guard fraction.count == 2, let numerator = Int64(fraction[0]),
                let denominator = Int64(fraction[1]), (1...1_000_000_000).contains(numerator),
                (1...1_000_000_000).contains(denominator)
            else { return }
            rate = (numerator, denominator)
        }
    }
}
