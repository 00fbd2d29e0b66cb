// SPDX-License-Identifier: Apache-2.0
import CLibc
public import OcellusImage

/// Where frames come from, and which of them are wanted.
public struct SourceSettings: Sendable {
    /// A picture, a folder of pictures, a video, a camera (`/dev/video0`, a link to it, or
    /// `usb:VENDOR:PRODUCT[:SERIAL]`), a stream address (`rtsp://...`), or `-` for standard input.
    public let path: String
    /// The time between two frames.
    ///
    /// Of a video, one frame is taken per period. Pictures of a folder and of a stream without a
    /// clock are all taken, and count as one period apart, or without one as a second.
    public let period: Duration?
    /// How many frames are wanted: the first ones if there is a period, else so many spread evenly
    /// over the whole source.
    public let frameCount: Int?
    /// The largest frame that is accepted.
    public let limit: ImageSize
    /// The request that ends the source, if there is one.
    public let stop: StopSignal?
    /// How long a network stream may give no picture before it is connected again.
    public let patience: Duration
    /// What is wished of a camera.
    public let camera: CameraSettings
    /// Whether a camera or a network stream that is not there when it is opened is waited for.
    public let awaitsSource: Bool
    /// Is told what a live source has to tell, on the thread that asks for its frames.
    public let report: @Sendable (CaptureNotice) -> Void

    /// Whether the path is the address of a stream in a network, which may have a password in it.
    public var isAddress: Bool { StreamAddress(path) != nil }

    /// All frames of a source, unless a period or a count says otherwise.
    ///
    /// - Precondition: the period and the count are positive.
    public init(
        path: String,
        period: Duration? = nil,
        frameCount: Int? = nil,
        limit: ImageSize = .standardLimit,
        stop: StopSignal? = nil,
        patience: Duration = .seconds(10),
        camera: CameraSettings = CameraSettings(),
        awaitsSource: Bool = false,
        report: @escaping @Sendable (CaptureNotice) -> Void = { _ in }
    ) {
        precondition(period.map { $0 > .zero } ?? true)
        precondition(frameCount.map { $0 > 0 } ?? true)
        self.path = path
        // Within what ffmpeg and 64 bits of nanoseconds can hold.
        self.period = period.map { min(max($0, .nanoseconds(1)), .seconds(1_000_000_000)) }
        self.frameCount = frameCount
        self.limit = limit
        self.stop = stop
        self.patience = patience
        self.camera = camera
        self.awaitsSource = awaitsSource
        self.report = report
    }

    /// The source as it may appear in messages: an address without user, password and query.
    public var displayName: String {
        path == "-" ? InputStream.standardInputName : StreamAddress.display(of: path)
    }

    /// Whether the source is a camera, which may be opened again under another name.
    public var isCamera: Bool { CameraAddress.isMeant(by: path) || CameraAddress(path) != nil }

    /// Whether the source may be an address, or a video, and thus need a program that reads it.
    public var mayNeedProgram: Bool { path != "-" && !isCamera }

    /// The file or folder that is opened; nil for cameras, addresses and standard input.
    public var filePath: String? {
        var status = stat()
        let isThere = unsafe stat(path, &status) == 0
        return isThere && mayNeedProgram ? path : nil
    }

    /// Overwrites an address with secrets among the program's arguments, where `ps` looks.
    public func hideSecrets() {
        guard isAddress, path != displayName else { return }
        unsafe clibc_argument_hide(path, displayName)
    }

    /// The time between two pictures that do not say when they were taken.
    var clocklessPeriod: Duration { period ?? .seconds(1) }

    /// Which frames are taken, of a source that has a clock.
    var sampling: Sampling {
        if let period { return .every(period) }
        if let frameCount { return .evenly(frameCount) }
        return .all
    }
}
