// SPDX-License-Identifier: Apache-2.0
import CLibc
public import OcellusImage
public import OcellusMemory

/// Frames, one after the other, from a picture, a folder or a video.
///
///     var source = try FrameSource.open(SourceSettings(path: "clip.mp4", period: .seconds(1)))
///     while let frame = try source.next(into: slot) { ... }
///
/// The slot needs `maximumFrame.frameByteCount` bytes.
public struct FrameSource: ~Copyable {
    private enum Reader {
        case pictures(PictureSequence)
    }

    /// No frame of the source is larger.
    public let maximumFrame: ImageSize
    private var reader: Reader

    /// Opens a source and finds out how large its frames are.
    public static func open(_ settings: SourceSettings) throws(CaptureError) -> FrameSource {
        var status = stat()
        guard unsafe stat(settings.path, &status) == 0 else {
            throw .unreadable(path: settings.path, reason: SystemError.reason())
        }
        var items = [PictureSequence.Item.file(settings.path)]
        if clibc_is_folder(status.st_mode) != 0 {
            items = try Folder.pictures(in: settings.path).map { .file($0) }
        }
        let pictures = try PictureSequence(items, settings: settings)
        return FrameSource(maximumFrame: pictures.maximumFrame, reader: .pictures(pictures))
    }

    /// Reads the next frame into `slot`.
    public mutating func next(into slot: Bytes) throws(CaptureError) -> Frame? {
        switch reader {
        case .pictures(var pictures):
            defer { reader = .pictures(pictures) }
            return try pictures.next(into: slot)
        }
    }
}
