// SPDX-License-Identifier: Apache-2.0
import CLibc
import CV4L2

/// How a user names a camera.
enum CameraAddress {
    /// A device, or a link to one, such as `/dev/video0` or `/dev/v4l/by-id/...`.
    case path(String)
    /// A camera on USB by its numbers, as lsusb prints them, wherever it is plugged in.
    case usb(vendor: String, product: String, serial: String?)

    /// What a source's name means; nil if it does not name a camera.
    ///
    /// `usb:046d:0825`, `usb:046d:0825:SERIAL`, a V4L2 device, a link to one, and names that only
    /// such devices have, even while they are not there.
    init?(_ source: String) {
        if CameraAddress.isMeant(by: source) {
            let parts = source.dropFirst(4).split(
                separator: ":",
                maxSplits: 2,
                omittingEmptySubsequences: false
            )
            guard parts.count >= 2, let vendor = CameraAddress.hex(parts[0]),
                let product = CameraAddress.hex(parts[1])
            else { return nil }
            let serial = parts.count > 2 && !parts[2].isEmpty ? String(parts[2]) : nil
            self = .usb(vendor: vendor, product: product, serial: serial)
            return
        }
        let isNode = unsafe cv4l2_is_video_node(source) != 0
        guard isNode || source.hasPrefix("/dev/video") || source.hasPrefix("/dev/v4l/") else {
            return nil
        }
        self = .path(source)
    }

    /// Whether a source's name is that of a camera on USB, well written or not.
    static func isMeant(by source: String) -> Bool { source.hasPrefix("usb:") }

    /// The error of a source that is meant to be a camera on USB, and is none.
    static func mistake(_ source: String) -> CaptureError {
        .badAddress(
            path: source,
            mistake:
                "a USB camera, which is usb:VENDOR:PRODUCT[:SERIAL] with the numbers of lsusb, "
                + "such as usb:046d:0825; cameras that are there: ocellus cameras"
        )
    }

    /// The device that has the address now.
    ///
    /// - Throws: `CaptureFault.absent`.
    func resolve(in bus: VideoBus) throws(CaptureFault) -> String {
        switch self {
        case .path(let path): return path
        case .usb(let vendor, let product, let serial):
            for node in bus.nodes() {
                guard let usb = node.usb, usb.vendor == vendor, usb.product == product,
                    serial == nil || serial == usb.serial, node.isFirst
                else { continue }
                return node.path
            }
            throw .absent(path: description)
        }
    }

    /// As the user writes it.
    var description: String {
        switch self {
        case .path(let path): path
        case .usb(let vendor, let product, let serial):
            "usb:\(vendor):\(product)" + (serial.map { ":" + $0 } ?? "")
        }
    }

    /// Four hexadecimal digits in lower case.
    private static func hex(_ text: Substring) -> String? {
        guard (1...4).contains(text.utf8.count), let number = UInt16(text, radix: 16) else {
            return nil
        }
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}
