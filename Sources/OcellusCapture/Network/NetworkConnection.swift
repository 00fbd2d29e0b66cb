// SPDX-License-Identifier: Apache-2.0
import OcellusImage

/// One run of ffmpeg on a stream's address, up to its first header.
///
/// Pictures come as Y4M: half the bytes of RGB, and no conversion on the way where the stream has
/// 4:2:0 already, as nearly all have.
struct NetworkConnection {
    /// The pictures, behind the header.
    let input: InputStream
    /// The layout of all pictures; ffmpeg scales if the stream changes its size.
    let layout: FrameLayout
    /// Ends the waiting for pictures.
    let quit: StopSignal

    static let program = "ffmpeg"

    /// Starts ffmpeg and waits for the first picture.
    ///
    /// - Parameters:
    ///   - address: what to connect to.
    ///   - box: larger pictures are scaled to fit.
    ///   - patience: how long no picture may come.
    ///   - hasAnswered: whether the server is known to have sent something.
    ///   - stop: ends the waiting for the first picture.
    /// - Throws: `CaptureError.programMissing`, `.programTooOld`; `.camera`: `.unreachable`, `.refused`
    ///   or `.pictureless` with ffmpeg's message, without secrets, `.stalled` if nothing came in time;
    ///   whatever is wrong with the header.
    init(
        _ address: StreamAddress,
        box: ImageSize,
        patience: Duration,
        hasAnswered: Bool = false,
        stop: StopSignal?
    ) throws(CaptureError) {
        let source = NetworkConnection.source(address)
        let process = try ChildProcess(
            NetworkConnection.program,
            NetworkConnection.arguments(source, box: box),
            input: source.standardInput,
            path: address.display
        )
        let input = InputStream(process, of: address.secret, stop: stop)
        // Until the first picture: connecting, and waiting for one that stands for itself.
        input.patience = patience * 2
        guard let line = try input.readLine(limit: Y4MHeader.lineByteLimit) else {
            throw Self.fault(
                of: input,
                from: address,
                after: patience * 2,
                hasAnswered: hasAnswered
            )
        }
        let header = try Y4MHeader(line[...], path: address.display, limit: box)
        // ffmpeg writes the header, too, of what ended before its first picture.
        try input.lookAhead(1)
        if input.lookahead.isEmpty {
            throw Self.fault(
                of: input,
                from: address,
                after: patience * 2,
                hasAnswered: hasAnswered
            )
        }
        quit = try StopSignal()
        input.patience = patience
        input.stop = quit
        self.input = input
        do {
            layout = try FrameLayout(size: header.size, format: header.format, range: header.range)
        } catch {
            throw .image(error)
        }
    }

    /// Why an input that was waited for gave no picture.
    private static func fault(
        of input: InputStream,
        from address: StreamAddress,
        after patience: Duration,
        hasAnswered: Bool
    ) -> CaptureError {
        let path = address.display
        if input.wasSilent { return .camera(.stalled(path: path, for: patience)) }
        guard let reason = input.failureOfProgram() else {
            return .camera(.pictureless(path: path, reason: "it ended before the first"))
        }
        // The youngest of the options below is -fps_mode.
        if reason.hasPrefix("Unrecognized option") {
            return .programTooOld(program: program, path: path, needed: "5.1")
        }
        return .camera(.unconnected(path: path, reason: reason, hasAnswered: hasAnswered))
    }

    /// Announces that the address may be connected to again after the process was sealed.
    static func declare(_ address: StreamAddress, box: ImageSize) {
        let source = source(address)
        ChildProcess.declare(program, arguments(source, box: box), input: source.standardInput)
    }

    /// For little delay: a short look at the stream's start, none for its rate.
    ///
    /// What it looked at is shown (no `nobuffer`): it may be the only picture, or the one that the next
    /// ones stand on.
    private static let haste: [(name: String, value: String)] = [
        ("fpsprobesize", "0"), ("analyzeduration", "2000000"), ("probesize", "2000000"),
    ]

    private static func source(_ address: StreamAddress) -> FFmpegInput {
        // Over UDP pictures arrive with holes, and firewalls drop them.
        let transport = [(name: "rtsp_transport", value: "tcp")]
        return FFmpegInput(address, options: haste + (address.isRTSP ? transport : []))
    }

    /// For little delay, too: no frame threads, each picture as it comes (never doubled or left out to
    /// make an even rate).
    private static func arguments(_ source: FFmpegInput, box: ImageSize) -> [String] {
        var arguments = ["-nostdin", "-v", "error", "-flags", "low_delay"]
        for option in haste { arguments += ["-" + option.name, option.value] }
        let fit =
            "scale=w='min(iw,\(box.width))':h='min(ih,\(box.height))'"
            + ":force_original_aspect_ratio=decrease:out_color_matrix=bt601:out_range=tv"
        return arguments + source.arguments + [
            "-map", "0:v:0", "-vf", fit + ",format=yuv420p", "-fps_mode", "passthrough",
            "-f", "yuv4mpegpipe", "pipe:1",
        ]
    }
}
