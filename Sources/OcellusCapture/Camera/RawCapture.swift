// SPDX-License-Identifier: Apache-2.0
import CLibc
import CV4L2
public import OcellusImage

/// Frames of a camera as its driver gives them, every one, good or bad: to look at a camera and its
/// driver, not to watch with.
public struct RawCapture {
    /// What the driver says about a frame.
    public struct Note {
        /// The driver's number.
        public var sequence: UInt32
        /// The bytes of data.
        public var byteCount: Int
        /// Whether the driver marked it as damaged.
        public var isFlagged: Bool
        /// When it was taken, in nanoseconds of the driver's clock.
        public var nanoseconds: Int64
    }

    /// What was agreed with the driver, and why.
    public let summary: String
    /// The size of the frames.
    public let size: ImageSize
    /// The format of the frames.
    public let format: FourCC
    /// What is otherwise than wished.
    public let faults: [CaptureFault]
    private let stream: V4L2Stream
    private let path: String
    private let patience: Duration

    /// Opens a camera and starts its stream.
    ///
    /// - Throws: `CaptureError.camera`, or `CaptureError.badAddress`.
    public init(_ settings: SourceSettings) throws(CaptureError) {
        guard let address = CameraAddress(settings.path) else {
            if settings.isCamera { throw CameraAddress.mistake(settings.path) }
            throw .camera(.notACamera(path: settings.path, content: "no video", pictures: nil))
        }
        do throws(CaptureFault) {
            let opened = try OpenCamera(
                address,
                settings: settings.camera,
                limits: OpenCamera.Limits(size: settings.limit),
                bus: VideoBus(),
                access: .system
            )
            stream = opened.stream
            summary = opened.summary
            faults = opened.faults
        } catch {
            throw .camera(error)
        }
        path = settings.path
        patience = settings.camera.patience
        size = stream.agreement.size
        format = stream.agreement.format
    }

    /// Writes the bytes of the next frame to a file.
    ///
    /// - Returns: what the driver says about it; nil if the file cannot be written.
    /// - Throws: `CaptureError.camera` if the stream ends, or no frame comes in time.
    public func writeNext(to file: OutputFile) throws(CaptureError) -> Note? {
        do throws(V4L2Failure) {
            let filled = try dequeue()
            defer { unsafe _ = cv4l2_queue(stream.device.camera, filled.index) }
            guard filled.index < UInt32(stream.bufferCount), stream.isPossible(filled) else {
                throw V4L2Failure(call: "VIDIOC_DQBUF", number: ERANGE)
            }
            var byteCount = 0
            for plane in 0..<stream.agreement.planeCount {
                let bytes = unsafe stream.data(of: filled, plane: plane)
                byteCount += bytes.count
                guard unsafe file.write(bytes) else { return nil }
            }
            return Note(
                sequence: filled.sequence,
                byteCount: byteCount,
                isFlagged: filled.is_flagged != 0,
                nanoseconds: filled.nanoseconds
            )
        } catch {
            throw .camera(
                error.number == ETIMEDOUT
                    ? .silent(path: path, for: patience, hasSignal: stream.device.hasSignal)
                    : error.fault(path: path)
            )
        }
    }

    private func dequeue() throws(V4L2Failure) -> cv4l2_filled {
        let deadline = clibc_monotonic_nanoseconds() + patience.nanoseconds
        while true {
            let rest = (deadline - clibc_monotonic_nanoseconds()) / 1_000_000
            guard rest > 0 else { throw V4L2Failure(call: "poll", number: ETIMEDOUT) }
            let milliseconds = Int32(truncatingIfNeeded: min(rest, 1_000_000))
            let found = unsafe cv4l2_wait(stream.device.camera, -1, milliseconds)
            if found <= 0 {
                if found < 0, found != -EINTR { throw V4L2Failure(call: "poll", number: -found) }
                continue
            }
            var filled = cv4l2_filled()
            let result = unsafe cv4l2_dequeue(stream.device.camera, &filled)
            if result == 0 { return filled }
            guard result == -EAGAIN else {
                throw V4L2Failure(call: "VIDIOC_DQBUF", number: -result)
            }
            unsafe cv4l2_rest(stream.device.camera, -1, 5)
        }
    }
}
