// SPDX-License-Identifier: Apache-2.0
import CLibc
import CV4L2
import OcellusImage

/// A camera that was opened and gives a stream: what came of the negotiation with its driver.
struct OpenCamera {
    /// The running stream.
    let stream: V4L2Stream
    /// What was chosen, and why.
    let summary: String
    /// What is otherwise than wished.
    let faults: [CaptureFault]
    /// The camera's address on USB, if it has one.
    let usbAddress: String?

    /// What a camera must keep to.
    struct Limits {
        /// No larger picture.
        var size: ImageSize
        /// No picture with more bytes in memory.
        var slotByteCount = Int.max
    }

    /// Finds the camera, asks for what fits best, sets the controls and starts the stream.
    ///
    /// - Parameters:
    ///   - address: the camera.
    ///   - settings: what is wished.
    ///   - limits: what must be kept to.
    ///   - bus: where cameras are looked for.
    ///   - access: how it is reached.
    /// - Throws: the `CaptureFault` that keeps the camera from giving pictures.
    init(
        _ address: CameraAddress,
        settings: CameraSettings,
        limits: Limits,
        bus: VideoBus,
        access: CameraAccess
    ) throws(CaptureFault) {
        let path = try address.resolve(in: bus)
        let (device, formats) = try OpenCamera.device(path, bus: bus, access: access)
        let negotiation = Negotiation(formats, settings: settings, limit: limits.size)
        guard !negotiation.candidates.isEmpty else {
            guard !formats.contains(where: { $0.isReadable }) else {
                throw .tooLarge(path: path, limit: limits.size)
            }
            throw .noUsableFormat(path: path, formats: OpenCamera.names(of: formats))
        }
        let (agreement, candidate) = try OpenCamera.agree(device, negotiation, limits: limits)
        var faults = OpenCamera.differences(agreement, settings: settings, path: path)
        for control in settings.controls {
            do {
                try device.set(control.name, to: control.value)
            } catch {
                faults.append(error)
            }
        }
        do {
            stream = try V4L2Stream(device, agreement: agreement)
        } catch {
            throw error.fault(path: path)
        }
        let node = bus.node(ofPath: path)
        usbAddress = node?.usb?.description
        let rate = agreement.rate.map { " at \(CameraRate.text($0))/s" } ?? ""
        let name = address.description == path ? path : "\(address.description), now \(path)"
        let maker =
            formats.contains { $0.isEmulated && $0.fourCC == agreement.format }
            ? " that libv4l2 makes of \(OpenCamera.names(of: formats.filter { !$0.isEmulated }))"
            : ""
        summary =
            "\(name) (\(device.identity.card), \(device.identity.driver)): "
            + "\(agreement.size.description) \(agreement.format.description)\(maker)\(rate), "
            + negotiation.reason(for: candidate)
        self.faults = faults
    }

    /// Opens a camera for the first time: a control that cannot be set is then an error, too.
    ///
    /// - Throws: `CaptureError.camera` with the fault that keeps the camera from giving pictures, or
    ///   with a control that cannot be set.
    static func first(
        _ address: CameraAddress,
        settings: SourceSettings,
        bus: VideoBus,
        access: CameraAccess
    ) throws(CaptureError) -> OpenCamera {
        do throws(CaptureFault) {
            let opened = try OpenCamera(
                address,
                settings: settings.camera,
                limits: Limits(size: settings.limit),
                bus: bus,
                access: access
            )
            for fault in opened.faults { if case .control = fault { throw fault } }
            return opened
        } catch {
            throw .camera(error)
        }
    }

    /// Opens the device as it is if it has a format that is read, else through the library.
    private static func device(
        _ path: String,
        bus: VideoBus,
        access: CameraAccess
    ) throws(CaptureFault) -> (V4L2Device, [CameraFormat]) {
        let library: CameraCalls
        // Closed before the library opens it: some drivers let a device be opened only once.
        do {
            let device = try OpenCamera.device(path, bus: bus, calls: access.direct)
            let formats = device.formats()
            if formats.contains(where: { $0.isReadable }) { return (device, formats) }
            guard let found = access.converting() else { return (device, formats) }
            library = found
        }
        let device = try OpenCamera.device(path, bus: bus, calls: library)
        return (device, device.formats())
    }

    /// Opens the device; one that gives no pictures is told with the one that does.
    private static func device(
        _ path: String,
        bus: VideoBus,
        calls: CameraCalls
    ) throws(CaptureFault) -> V4L2Device {
        do {
            return try V4L2Device(path: path, calls: calls)
        } catch {
            guard case .notACamera(let path, let content, nil) = error else { throw error }
            throw .notACamera(path: path, content: content, pictures: bus.pictures(besides: path))
        }
    }

    /// Asks for the candidates, one after the other, until the driver gives something usable.
    ///
    /// The corresponding C calls are `VIDIOC_S_FMT` and `VIDIOC_S_PARM`.
    private static func agree(
        _ device: V4L2Device,
        _ negotiation: Negotiation,
        limits: Limits
    ) throws(CaptureFault) -> (CameraAgreement, Negotiation.Candidate) {
        var lastFault: CaptureFault?
        for candidate in negotiation.candidates {
            var picture = cv4l2_picture()
            picture.width = UInt32(candidate.size.width)
            picture.height = UInt32(candidate.size.height)
            picture.fourcc = candidate.format.code
            let result = unsafe cv4l2_set_picture(device.camera, &picture)
            guard result == 0 else {
                let failure = V4L2Failure(call: "VIDIOC_S_FMT", number: -result)
                lastFault = failure.fault(path: device.path)
                // A driver refuses what it does not have; anything else is true of all candidates.
                if failure.number == EINVAL { continue }
                break
            }
            do throws(CameraAgreement.Refusal) {
                var agreement = try CameraAgreement(picture, limit: limits.size)
                guard agreement.slotByteCount <= limits.slotByteCount else {
                    throw CameraAgreement.Refusal(reason: "more bytes", isForSize: true)
                }
                agreement.rate = rate(of: device, candidate.rate)
                return (agreement, candidate)
            } catch {
                lastFault =
                    error.isForSize
                    ? .tooLarge(path: device.path, limit: limits.size)
                    : .noUsableFormat(path: device.path, formats: error.reason)
            }
        }
        throw lastFault ?? .noUsableFormat(path: device.path, formats: "nothing")
    }

    /// Asks for a rate; what the driver gives.
    private static func rate(of device: V4L2Device, _ wish: CameraRate?) -> Double? {
        guard var (numerator, denominator) = wish?.shortest else { return nil }
        let result = unsafe cv4l2_set_interval(device.camera, &numerator, &denominator)
        guard result == 0, numerator > 0, denominator > 0 else { return nil }
        return CameraRate.perSecond((numerator, denominator))
    }

    /// What was wished and is not given.
    private static func differences(
        _ agreement: CameraAgreement,
        settings: CameraSettings,
        path: String
    ) -> [CaptureFault] {
        var faults: [CaptureFault] = []
        if let format = settings.format, format != agreement.format {
            faults.append(
                .substituted(
                    path: path,
                    wanted: format.description,
                    given: agreement.format.description
                )
            )
        }
        if let size = settings.size, size != agreement.size {
            faults.append(
                .substituted(
                    path: path,
                    wanted: size.description,
                    given: agreement.size.description
                )
            )
        }
        if let wish = settings.rate, let rate = agreement.rate, rate < wish * 0.99 {
            faults.append(
                .substituted(
                    path: path,
                    wanted: "\(CameraRate.text(wish)) pictures per second",
                    given: CameraRate.text(rate)
                )
            )
        }
        return faults
    }

    private static func names(of formats: [CameraFormat]) -> String {
        if formats.isEmpty { return "none at all" }
        var names: [String] = []
        for format in formats { names.append(format.fourCC.description) }
        return names.joined(separator: ", ")
    }
}
