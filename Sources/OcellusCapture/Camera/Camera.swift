// SPDX-License-Identifier: Apache-2.0

/// A camera of this system, and what it can do.
public struct Camera: Sendable {
    /// The device, such as `/dev/video0`.
    public var path: String
    /// The driver's words for it.
    public var name: String
    /// The driver.
    public var driver: String
    /// Where it is plugged in, in the driver's words.
    public var bus: String
    /// A name that finds it under any number: `usb:VENDOR:PRODUCT[:SERIAL]`; nil if it is not on USB.
    public var usbAddress: String?
    /// What it gives by itself; what libv4l2 could make of it is not here.
    public var formats: [CameraFormat]
    /// What can be adjusted.
    public var controls: [CameraControl]

    /// Whether it has no format that Ocellus reads, so that libv4l2 must make one.
    public var needsConversion: Bool { !formats.contains { $0.isReadable } }

    /// What was found at a device.
    public enum Finding: Sendable {
        case camera(Camera)
        /// The device gives no pictures, or cannot be opened.
        case fault(CaptureFault)
    }

    /// All video devices of the system, in the order of their numbers.
    public static func all() -> [Finding] {
        let bus = VideoBus()
        var findings: [Finding] = []
        for node in bus.nodes() { findings.append(finding(at: node.path, bus: bus)) }
        return findings
    }

    /// The camera of an address, as a source is named.
    ///
    /// - Throws: `CaptureError.badAddress`.
    public static func find(_ source: String) throws(CaptureError) -> Finding {
        let bus = VideoBus()
        guard let address = CameraAddress(source) else {
            if CameraAddress.isMeant(by: source) { throw CameraAddress.mistake(source) }
            return .fault(.notACamera(path: source, content: "no video", pictures: nil))
        }
        do throws(CaptureFault) {
            return finding(at: try address.resolve(in: bus), bus: bus)
        } catch {
            return .fault(error)
        }
    }

    private static func finding(at path: String, bus: VideoBus) -> Finding {
        do throws(CaptureFault) {
            let device = try V4L2Device(path: path, calls: .kernel)
            return .camera(
                Camera(
                    path: path,
                    name: device.identity.card,
                    driver: device.identity.driver,
                    bus: device.identity.bus,
                    usbAddress: bus.node(ofPath: path)?.usb?.description,
                    formats: device.formats(),
                    controls: device.controls()
                )
            )
        } catch {
            guard case .notACamera(let path, let content, nil) = error else { return .fault(error) }
            let pictures = bus.pictures(besides: path)
            return .fault(.notACamera(path: path, content: content, pictures: pictures))
        }
    }
}
