// SPDX-License-Identifier: Apache-2.0

/// Why a picture could not be read or prepared.
///
/// `path` is the file as the user named it, or `-` for standard input.
public enum ImageError: Error {
    /// The file cannot be opened or read; `reason` is the system's.
    case unreadable(path: String, reason: String)
    /// The first bytes are those of no format that is supported.
    case unknownFormat(path: String)
    /// The file contradicts its format or ends too early; `reason` is the decoder's.
    case damaged(path: String, reason: String)
    /// The file is a valid picture of a kind that is not decoded.
    case unsupported(path: String, feature: String)
    /// The picture has more pixels than the largest frame that was planned for.
    case pictureTooLarge(path: String, size: ImageSize, limit: ImageSize)
    /// The slot for the decoded pixels is too small.
    case slotTooSmall(path: String, neededBytes: Int, availableBytes: Int)
    /// The system has no memory for something that was to be made at the start.
    case outOfMemory(purpose: String)
    /// The samples of a frame cannot lie as somebody, a driver perhaps, says; the text says why.
    case badLayout(String)
    /// The text is not a region of interest.
    case badCrop(String)
    /// The region of interest is not inside the frame.
    case cropOutside(CropRectangle, frame: ImageSize)

    private static func remedy(_ size: ImageSize, limit: ImageSize) -> String {
        // A limit that the user has raised already was raised for another picture.
        let needed = limit == .standardLimit ? size : size.union(limit)
        return needed.fits(in: .largestLimit)
            ? "scale it down, or allow it with ocellus --max-frame \(needed.description)"
            : "scale it down; --max-frame allows \(ImageSize.largestLimit.description) at most"
    }

    /// The fact, then the remedy.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "\(path) cannot be read: \(reason)"
        case .unknownFormat(let path):
            "\(path) is not a picture that Ocellus reads: JPEG, PNG, PPM or PGM"
        case .damaged(let path, let reason):
            "\(path) is damaged: \(reason)"
        case .unsupported(let path, let feature):
            "\(path) is \(feature), which is not supported; convert it to an RGB JPEG or PNG"
        case .pictureTooLarge(let path, let size, let limit):
            "\(path) has \(size.description) pixels, the limit is \(limit.description); "
                + Self.remedy(size, limit: limit)
        case .slotTooSmall(let path, let neededBytes, let availableBytes):
            "\(path) needs \(neededBytes) bytes when decoded, the frame slot has "
                + "\(availableBytes); plan for larger frames with --max-frame"
        case .outOfMemory(let purpose):
            "there is no memory for \(purpose)"
        case .badLayout(let reason):
            "impossible layout of a frame: \(reason)"
        case .badCrop(let text):
            "'\(text)' is not a region of interest; write --crop x,y,width,height in pixels"
        case .cropOutside(let crop, let frame):
            "the region of interest \(crop.description) is not inside the frame, "
                + "which has \(frame.description) pixels"
        }
    }
}
