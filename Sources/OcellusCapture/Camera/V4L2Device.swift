// SPDX-License-Identifier: Apache-2.0
import CLibc
import CV4L2
import OcellusImage

/// An open V4L2 device that captures video.
///
/// A class, because Embedded Swift cannot destroy a non-copyable struct in another module.
@safe
final class V4L2Device {
    /// The file that was opened.
    let path: String
    /// What the driver says that it is.
    let identity: Identity
    /// The device as CV4L2 has it; valid as long as this object.
    let camera: UnsafeMutablePointer<cv4l2_camera>

    /// The driver's words about a device.
    struct Identity {
        var driver: String
        var card: String
        var bus: String
        var isMultiplanar: Bool
    }

    /// No driver has more entries in a list; one that has is not asked for more.
    private static let listLimit: UInt32 = 256

    /// Opens a device.
    ///
    /// The corresponding C calls are `open` and `ioctl(VIDIOC_QUERYCAP)`.
    ///
    /// - Throws: `CaptureFault.busy`, `.noPermission`, `.absent` or `.failed`; `.notACamera` if the
    ///   device gives no pictures.
    init(path: String, calls: CameraCalls) throws(CaptureFault) {
        let camera = UnsafeMutablePointer<cv4l2_camera>.allocate(capacity: 1)
        var found = cv4l2_device()
        do throws(V4L2Failure) {
            try V4L2Failure.check(unsafe cv4l2_open(camera, calls.table, path), "open")
        } catch {
            unsafe camera.deallocate()
            throw error.fault(path: path)
        }
        do throws(V4L2Failure) {
            try V4L2Failure.check(unsafe cv4l2_identify(camera, &found), "VIDIOC_QUERYCAP")
        } catch {
            unsafe cv4l2_close(camera)
            unsafe camera.deallocate()
            // Another kind of character device.
            if error.number == ENOTTY || error.number == EINVAL {
                throw .notACamera(path: path, content: "no video", pictures: nil)
            }
            throw error.fault(path: path)
        }
        guard found.captures_video != 0, found.streams != 0 else {
            unsafe cv4l2_close(camera)
            unsafe camera.deallocate()
            let content =
                found.is_metadata != 0
                ? "data about pictures" : found.captures_video != 0 ? "no stream" : "no capture"
            throw .notACamera(path: path, content: content, pictures: nil)
        }
        unsafe self.camera = camera
        self.path = path
        identity = Identity(
            driver: CText.string(found.driver),
            card: CText.string(found.card),
            bus: CText.string(found.bus),
            isMultiplanar: found.is_multiplanar != 0
        )
    }

    deinit {
        unsafe cv4l2_close(camera)
        unsafe camera.deallocate()
    }

    /// Whether the input has a signal; true for devices that cannot know.
    var hasSignal: Bool { unsafe cv4l2_has_signal(camera) != 0 }

    /// All formats with their sizes and rates.
    ///
    /// The corresponding C calls are `VIDIOC_ENUM_FMT`, `_FRAMESIZES` and `_FRAMEINTERVALS`.
    func formats() -> [CameraFormat] {
        var formats: [CameraFormat] = []
        for index in 0..<V4L2Device.listLimit {
            var entry = cv4l2_format_entry()
            guard unsafe cv4l2_format_at(camera, index, &entry) == 0 else { break }
            let fourCC = FourCC(code: entry.fourcc)
            formats.append(
                CameraFormat(
                    fourCC: fourCC,
                    description: CText.string(entry.description),
                    isEmulated: entry.is_emulated != 0,
                    isReadable: CameraCoding(fourCC) != nil,
                    sizes: sizes(of: fourCC)
                )
            )
        }
        return formats
    }

    private func sizes(of format: FourCC) -> [CameraSize] {
        var sizes: [CameraSize] = []
        for index in 0..<V4L2Device.listLimit {
            var entry = cv4l2_size_entry()
            guard unsafe cv4l2_size_at(camera, format.code, index, &entry) == 0 else { break }
            let maximum = ImageSize(width: Int(entry.max_width), height: Int(entry.max_height))
            let minimum = ImageSize(width: Int(entry.min_width), height: Int(entry.min_height))
            // A driver may say anything.
            guard minimum.width > 0, minimum.height > 0, minimum.fits(in: maximum) else { continue }
            sizes.append(
                CameraSize(
                    minimum: minimum,
                    maximum: maximum,
                    step: ImageSize(width: Int(entry.step_width), height: Int(entry.step_height)),
                    rates: rates(of: format, at: maximum)
                )
            )
            // All sizes between two are one entry.
            if entry.is_discrete == 0 { break }
        }
        return sizes
    }

    /// The rates of a format at a size.
    func rates(of format: FourCC, at size: ImageSize) -> [CameraRate] {
        var rates: [CameraRate] = []
        for index in 0..<V4L2Device.listLimit {
            var entry = cv4l2_interval_entry()
            let result = unsafe cv4l2_interval_at(
                camera,
                format.code,
                UInt32(size.width),
                UInt32(size.height),
                index,
                &entry
            )
            guard result == 0 else { break }
            guard entry.shortest_numerator > 0, entry.shortest_denominator > 0,
                entry.longest_numerator > 0, entry.longest_denominator > 0
            else { continue }
            rates.append(
                CameraRate(
                    shortest: (entry.shortest_numerator, entry.shortest_denominator),
                    longest: (entry.longest_numerator, entry.longest_denominator)
                )
            )
            if entry.is_discrete == 0 { break }
        }
        return rates
    }
}
