// SPDX-License-Identifier: Apache-2.0
public import OcellusImage

/// Why a source gives no frames, or not the next one.
///
/// `path` is the source as messages name it: without secrets, `standard input` for `-`.
public enum CaptureError: Error {
    /// A picture, or a frame as a picture, cannot be read.
    case image(ImageError)
    /// A camera gives no pictures.
    case camera(CaptureFault)
    /// The path begins as the address of a camera on USB, or of a stream, and can be none; `mistake`
    /// says what it would need.
    case badAddress(path: String, mistake: String)
    /// The source cannot be opened or read; `reason` is the system's.
    case unreadable(path: String, reason: String)
    /// A file cannot be created; `reason` is the system's.
    case unwritable(path: String, reason: String)
    /// Standard input, or a pipe, carries none of the supported streams.
    case unknownStream(path: String)
    /// The folder has no file that is named like a picture.
    case emptyFolder(path: String)
    /// The stream contradicts its format, or ends within its first frame.
    case damaged(path: String, reason: String)
    /// The stream is valid, but of a kind that is not read.
    case unsupported(path: String, feature: String)
    /// Frames cannot be spread evenly over a source that does not say how long it is.
    case lengthUnknown(path: String)
    /// A program that reads videos is not there.
    case programMissing(program: String, path: String)
    /// A program that reads streams is older than the version that is needed.
    case programTooOld(program: String, path: String, needed: String)
    /// A program that reads videos failed; `reason` is its last message.
    case programFailed(program: String, path: String, reason: String)
    /// A clip is damaged or cut off from about `time` on; it gave `frameCount` frames nevertheless.
    case incomplete(path: String, reason: String, time: Duration, frameCount: Int)
    /// The stop signal came before the first frame.
    case stopped(path: String)

    /// Whether it is about one damaged picture, behind which the source goes on; want of memory is not.
    public var isSkippable: Bool {
        guard case .image(let error) = self else { return false }
        if case .outOfMemory = error { return false }
        return true
    }

    /// What a stream is that cannot be read on: damaged, or incomplete if it has given frames.
    static func cut(
        path: String,
        reason: String,
        time: Duration,
        frameCount: Int
    ) -> CaptureError {
        frameCount == 0
            ? .damaged(path: path, reason: reason)
            : .incomplete(path: path, reason: reason, time: time, frameCount: frameCount)
    }

    /// The fact, then the remedy.
    public var description: String {
        switch self {
        case .image(let error):
            error.description
        case .camera(let fault):
            fault.description
        case .badAddress(let path, let mistake):
            "\(path) is no address of \(mistake)"
        case .unreadable(let path, let reason):
            "\(path) cannot be read: \(reason)"
        case .unwritable(let path, let reason):
            "\(path) cannot be written: \(reason)"
        case .unknownStream(let path):
            "\(path) carries no stream that Ocellus reads: Y4M, PPM, or one JPEG or PNG picture"
        case .emptyFolder(let path):
            "\(path) has no pictures; the names end in .jpg, .jpeg, .png, .ppm or .pgm"
        case .damaged(let path, let reason):
            "\(path) is damaged: \(reason)"
        case .unsupported(let path, let feature):
            "\(path) is \(feature), which is not supported; convert it with ffmpeg"
        case .lengthUnknown(let path):
            "\(path) does not say how long it is, so frames cannot be spread over it; "
                + "take them by time: --every 1s"
        case .programMissing(let program, let path):
            "\(program) is not installed, and \(path) needs it: apt install ffmpeg"
        case .programTooOld(let program, let path, let needed):
            "\(program) is too old for \(path), which needs version \(needed) or newer; the one that is "
                + "found: \(program) -version"
        case .programFailed(let program, let path, let reason):
            "\(program) cannot read \(path): \(reason)"
        case .incomplete(let path, let reason, let time, let frameCount):
            "\(path) is damaged, from about \(time.roundedText) on: \(reason); "
                + (frameCount == 1 ? "1 frame was read" : "\(frameCount) frames were read")
        case .stopped(let path):
            "\(path) was given up before its first frame: the program was told to stop"
        }
    }
}
