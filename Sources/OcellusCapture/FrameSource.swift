// SPDX-License-Identifier: Apache-2.0
import CLibc
public import OcellusImage
public import OcellusMemory

/// Frames, one after the other, from a camera, a picture, a folder, a video or standard input.
///
///     var source = try FrameSource.open(SourceSettings(path: "clip.mp4", period: .seconds(1)))
///     while let frame = try source.next(into: slot) { ... }
///
/// A source is recognised by its first bytes, not by its name; a file that is neither a picture nor
/// Y4M is given to ffmpeg. The slot needs `maximumFrame.frameByteCount` bytes.
public struct FrameSource: ~Copyable {
    /// No frame of the source is larger.
    public let maximumFrame: ImageSize
    // Exactly one of the four is there. An enum would say so, but a switch over one with noncopyable
    // parts takes the parts out.
    private var camera: CameraSource?
    private var pictures: PictureSequence?
    private var y4m: Y4MStream?
    private var netpbm: NetpbmStream?
    private var network: NetworkStream?
    private let stop: StopSignal?

    /// The bytes that one picture on standard input may have.
    private static let pictureByteLimit = 64 << 20

    /// Opens a source and finds out how large its frames are.
    ///
    /// A folder's pictures are sorted by name, numbers by value.
    ///
    /// - Throws: `CaptureError`: `unreadable` or `emptyFolder` if there is nothing to open, `camera` if
    ///   a camera gives no pictures, `unknownStream` if standard input carries something else,
    ///   `badAddress` for the address of a camera on USB, or of a stream, that can be none,
    ///   `programMissing` if a video needs ffmpeg and it is not installed, and whatever the header of
    ///   the source is wrong about.
    public static func open(_ settings: SourceSettings) throws(CaptureError) -> FrameSource {
        do throws(CaptureError) {
            return try openUnlessStopped(settings)
        } catch {
            if let stop = settings.stop, stop.isRaised {
                throw .stopped(path: settings.displayName)
            }
            throw error
        }
    }

    private static func openUnlessStopped(
        _ settings: SourceSettings
    ) throws(CaptureError) -> FrameSource {
        if settings.path == "-" {
            return try open(InputStream(standardInputWith: settings.stop), settings: settings)
        }
        if let address = CameraAddress(settings.path) {
            return FrameSource(try CameraSource(address, settings: settings), settings)
        }
        if CameraAddress.isMeant(by: settings.path) { throw CameraAddress.mistake(settings.path) }
        var status = stat()
        guard unsafe stat(settings.path, &status) == 0 else {
            let reason = SystemError.reason()
            if let address = StreamAddress(settings.path) {
                if let mistake = address.mistake {
                    throw .badAddress(path: address.display, mistake: mistake)
                }
                return try settings.waiting(for: address.display) { () throws(CaptureError) in
                    try open(address, settings: settings)
                }
            }
            throw .unreadable(path: settings.path, reason: reason)
        }
        if clibc_is_folder(status.st_mode) != 0 {
            return try FrameSource(
                Folder.pictures(in: settings.path).map { .file($0) },
                settings: settings
            )
        }
        return try open(InputStream(path: settings.path, stop: settings.stop), settings: settings)
    }

    /// Reads the next frame into `slot`.
    ///
    /// A camera waits for a picture that is newer than the last one.
    ///
    /// - Returns: a view of the slot, or of memory of a camera, valid until the next call or until the
    ///   slot is used again; nil at the end, and once the stop signal came.
    /// - Throws: `CaptureError` for the picture or the frame. After the error of a picture in a folder
    ///   the next call goes on with the next picture.
    public mutating func next(into slot: Bytes) throws(CaptureError) -> Frame? {
        if let stop, stop.isRaised { return nil }
        do throws(CaptureError) {
            return try nextUnlessStopped(into: slot)
        } catch {
            // A stream that was left within a frame is not damaged.
            if let stop, stop.isRaised { return nil }
            throw error
        }
    }

    /// Whether the source gives the newest picture, survives faults and only ends when it is stopped.
    public var isLive: Bool { camera != nil || network != nil }

    /// The size that a picture needs to have, nil if all of it is wanted.
    ///
    /// JPEG pictures of a camera may then be decoded at a half, a quarter or an eighth of their size.
    /// Other sources take no notice.
    public var neededSize: ImageSize? {
        get { camera?.neededSize }
        set { camera?.neededSize = newValue }
    }

    /// What a live source has counted since it was opened; nil for the others.
    public var statistics: CaptureStatistics? { camera?.statistics ?? network?.statistics }

    /// The bytes of pictures on their way, beside the slot: a live source's three newest.
    public var memoryByteCount: Int { camera?.memoryByteCount ?? network?.memoryByteCount ?? 0 }

    /// The bytes of heap that the next frames may need for a while: a picture's file and its decoder.
    public var decodingByteCount: Int { pictures == nil ? 0 : 10 * maximumFrame.pixelCount }

    private mutating func nextUnlessStopped(into slot: Bytes) throws(CaptureError) -> Frame? {
        if let camera { return try camera.next(into: slot) }
        if let network { return network.next() }
        if let frame = try pictures?.next(into: slot) { return frame }
        if let frame = try y4m?.next(into: slot) { return frame }
        return try netpbm?.next(into: slot)
    }

    private init(_ camera: CameraSource, _ settings: SourceSettings) {
        maximumFrame = camera.maximumFrame
        self.camera = camera
        stop = settings.stop
    }

    private init(_ network: NetworkStream, _ settings: SourceSettings) {
        maximumFrame = network.maximumFrame
        self.network = network
        stop = settings.stop
    }

    private init(_ items: [PictureSequence.Item], settings: SourceSettings) throws(CaptureError) {
        let pictures = try PictureSequence(items, settings: settings)
        maximumFrame = pictures.maximumFrame
        self.pictures = pictures
        stop = settings.stop
    }

    private init(_ stream: consuming Y4MStream, _ settings: SourceSettings) {
        maximumFrame = stream.size
        y4m = consume stream
        stop = settings.stop
    }

    private init(_ stream: consuming NetpbmStream, _ settings: SourceSettings) {
        maximumFrame = stream.size
        netpbm = consume stream
        stop = settings.stop
    }

    /// Opens an address: a live stream, or a clip.
    private static func open(
        _ address: StreamAddress,
        settings: SourceSettings
    ) throws(CaptureError) -> FrameSource {
        guard try address.isLive(settings) else {
            return FrameSource(try FFmpeg.open(settings), settings)
        }
        let stream = try NetworkStream(
            address,
            settings: settings,
            hasAnswered: !address.isRTSP  // ffprobe has read of it
        )
        return FrameSource(stream, settings)
    }

    /// Recognises a stream by its first bytes.
    private static func open(
        _ input: InputStream,
        settings: SourceSettings
    ) throws(CaptureError) -> FrameSource {
        let isFile = input.byteCount != nil && settings.path != "-"
        input.patience = settings.patience
        input.tellSilence = {
            settings.report(.fault(.quiet(path: settings.displayName, for: settings.patience)))
        }
        try input.lookAhead(
            max(PictureFormat.signatureByteCount, Y4MHeader.magic.utf8CodeUnitCount)
        )
        guard !input.lookahead.isEmpty else {
            throw .damaged(path: settings.displayName, reason: "it is empty")
        }
        if Y4MHeader.isMagic(input.lookahead.span) {
            return FrameSource(try Y4MStream(input, settings: settings), settings)
        }
        switch PictureFormat(of: input.lookahead.span) {
        case .netpbm:
            let clock = NetpbmStream.Clock(period: settings.clocklessPeriod)
            return FrameSource(
                try NetpbmStream(input, settings: settings, clock: clock),
                settings
            )
        case .jpeg, .png:
            if isFile { return try FrameSource([.file(settings.path)], settings: settings) }
            let bytes = try input.readAll(limit: pictureByteLimit)
            return try FrameSource([.bytes(bytes, path: settings.displayName)], settings: settings)
        case nil:
            if isFile { return FrameSource(try FFmpeg.open(settings), settings) }
            throw .unknownStream(path: settings.displayName)
        }
    }
}
