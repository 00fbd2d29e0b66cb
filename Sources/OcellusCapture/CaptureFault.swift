// SPDX-License-Identifier: Apache-2.0
public import OcellusImage

/// What can be wrong with a live source, and what the source does about it.
///
/// At the start a fault without pictures is an error, but that a camera is not there yet if it may be
/// waited for. Later the source reopens, with growing pauses, until pictures come again. Bad pictures
/// are left out.
public enum CaptureFault: Error {
    // No pictures.
    /// Another program uses the device.
    case busy(path: String)
    /// The user may not open the device.
    case noPermission(path: String)
    /// There is no such device now.
    case absent(path: String)
    /// There is no such device yet, or a network stream cannot be connected to yet, and it is waited
    /// for; `reason` is ffmpeg's, nil for a device.
    case awaited(path: String, reason: String?)
    /// The device went away while it was in use; `usbAddress` finds it under every number.
    case unplugged(path: String, usbAddress: String?)
    /// No good picture came for so long.
    case silent(path: String, for: Duration, hasSignal: Bool)
    /// A call failed; `reason` is the system's.
    case failed(path: String, call: String, reason: String)
    /// The device gives no pictures, but what `content` says; `pictures` is the device that does.
    case notACamera(path: String, content: String, pictures: String?)
    /// The device has no pictures that can be read; `formats` are those that it has.
    case noUsableFormat(path: String, formats: String)
    /// The device has only pictures that are larger than what memory is planned for: at the start those
    /// of `--max-frame`, later those of the start.
    case tooLarge(path: String, limit: ImageSize)

    /// A network stream cannot be connected to; `reason` is ffmpeg's, here and below.
    case unreachable(path: String, reason: String)
    /// A server wants a password, has no such path, or refuses for another reason.
    case refused(path: String, reason: String)
    /// A server answers, and what it sends is no video that can be read.
    case pictureless(path: String, reason: String)
    /// One of the two above, of a server that may still be starting: it is asked again for a while.
    case starting(path: String, reason: String)
    /// A network stream ended; `reason` is ffmpeg's, nil if it saw no error.
    case disconnected(path: String, reason: String?)
    /// A network stream gave no picture for so long.
    case stalled(path: String, for: Duration)

    /// A pipe gave nothing for so long; it may have ended without being closed.
    case quiet(path: String, for: Duration)

    // Bad pictures.
    /// The driver says that the data of a picture may be wrong.
    case flagged(path: String)
    /// A picture has less data than its format needs.
    case short(path: String, byteCount: Int, neededBytes: Int)
    /// A JPEG picture ends too early, or is none.
    case damaged(path: String, reason: String)

    // Something else than expected.
    /// The driver answered a wish with something else.
    case substituted(path: String, wanted: String, given: String)
    /// The driver's times are not those of the system's clock.
    case untimed(path: String)
    /// A control could not be set.
    case control(path: String, name: String, reason: String)
    /// The system does not let the capture thread run before all others.
    case notRealtime(reason: String)

    /// The fact, then the remedy.
    public var description: String {
        switch self {
        case .busy(let path):
            "\(path) is in use by another program; which one: fuser -v \(path)"
        case .noPermission(let path):
            "\(path) may not be opened by this user; allow it: sudo usermod -aG video $USER, "
                + "then log in again"
        case .absent(let path):
            "\(path) is not there; plug the camera in; those that are there: ocellus cameras"
        case .awaited(let path, let reason?):
            "\(path) gives no pictures yet (\(reason)); waiting for them: check the address, the "
                + "network, and whether the camera is on"
        case .awaited(let path, nil):
            "\(path) is not there yet; waiting for it: plug the camera in; those that are there: "
                + "ocellus cameras"
        case .unplugged(let path, let usbAddress):
            "\(path) was unplugged, or lost its power; waiting for it"
                + (usbAddress.map { "; --source \($0) finds it under any number" } ?? "")
        case .silent(let path, let duration, let hasSignal):
            "\(path) gave no good picture for \(duration.roundedText), opening it again; "
                + (hasSignal
                    ? "if that does not help: check its cable, or choose a smaller --size or --rate"
                    : "its input has no signal: check what is connected to it")
        case .failed(let path, let call, let reason):
            "\(path) failed (\(call): \(reason)), opening it again; if it keeps failing: "
                + "check its cable and power, and: dmesg"
        case .notACamera(let path, let content, let pictures):
            "\(path) gives \(content), no pictures; "
                + (pictures.map { "they come from \($0)" } ?? "cameras: ocellus cameras")
        case .noUsableFormat(let path, let formats):
            "\(path) has no pictures that Ocellus reads, but \(formats); libv4l2 may convert "
                + "them: apt install libv4l-0"
        case .tooLarge(let path, let limit):
            "\(path) has only pictures that are larger than \(limit.description), for which memory is "
                + "planned; for another camera than before, start again; to plan for more: --max-frame"
        case .unreachable(let path, let reason):
            "\(path) gives no pictures: \(reason); check the address, the network, and whether the "
                + "camera is on"
        case .refused(let path, let reason):
            "\(path) gives no pictures: \(reason); "
                + CaptureFault.adviceOnRefusal(path: path, reason: reason)
        case .pictureless(let path, let reason):
            "\(path) answers, but not with pictures: \(reason); is it the address of a video? An MP4 "
                + "file on a server may need its index first: ffmpeg -i OLD -c copy -movflags "
                + "+faststart NEW"
        case .starting(let path, let reason):
            "\(path) answers, but not with pictures: \(reason); asking again for a while, in case it "
                + "is still starting"
        case .disconnected(let path, let reason):
            "\(path) ended" + (reason.map { ": \($0)" } ?? "") + "; connecting again"
        case .stalled(let path, let duration):
            "\(path) gave no picture for \(duration.roundedText), connecting again; if that does "
                + "not help: check the network and the camera"
        case .quiet(let path, let duration):
            "\(path) gave nothing for \(duration.roundedText); waiting for more: is the program "
                + "that writes it still at work?"
        case .flagged(let path):
            "\(path) marked a picture as damaged; such pictures are left out; "
                + "if there are many: check its cable, or choose a smaller --size"
        case .short(let path, let byteCount, let neededBytes):
            "\(path) gave a picture of \(byteCount) bytes, \(neededBytes) are needed; "
                + "such pictures are left out; if there are many: check its cable"
        case .damaged(let path, let reason):
            "\(path) gave a damaged JPEG picture (\(reason)); such pictures are left out; "
                + "if there are many: check its cable, or try --format YUYV"
        case .substituted(let path, let wanted, let given):
            "\(path) gives \(given) instead of \(wanted); what it has: ocellus cameras"
        case .untimed(let path):
            "\(path) has no usable clock; latency counts from when a picture arrives"
        case .control(let path, let name, let reason):
            "\(path): the control \(name) was not set: \(reason)"
        case .notRealtime(let reason):
            "the capture thread has no real-time priority (\(reason)); frames may be dropped "
                + "under load; allow it: LimitRTPRIO=1 in the service, or ulimit -r 1"
        }
    }
}
