// SPDX-License-Identifier: Apache-2.0
import CLibc

/// The video devices that the system has now, and what they are plugged into.
struct VideoBus {
    /// One device, such as `/dev/video0`.
    struct Node {
        let path: String
        /// The device's words for itself.
        let name: String
        /// Whether it is the first of its camera; the others give no pictures, or others.
        let isFirst: Bool
        /// The camera on USB; nil if it is none.
        let usb: USBAddress?
        /// The folder of the camera in sysfs, equal for all devices of a camera.
        let camera: String
    }

    /// The numbers of a device on USB.
    struct USBAddress: Equatable {
        /// Four hexadecimal digits.
        let vendor: String
        /// Four hexadecimal digits.
        let product: String
        /// Many cameras have none.
        let serial: String?

        /// As a source is named.
        var description: String {
            "usb:\(vendor):\(product)" + (serial.map { ":" + $0 } ?? "")
        }
    }

    /// Where sysfs is mounted, and where the devices are.
    private let system: String
    private let devices: String

    /// The system's devices; other folders are for tests.
    init(system: String = "/sys", devices: String = "/dev") {
        self.system = system
        self.devices = devices
    }

    /// All devices, sorted by number.
    ///
    /// The corresponding C calls are `opendir` and `readdir` on `/sys/class/video4linux`.
    func nodes() -> [Node] {
        let folder = system + "/class/video4linux"
        var nodes: [Node] = []
        var names = VideoBus.entries(of: folder).filter { $0.hasPrefix("video") }
        names.sort { NaturalOrder.precedes($0, $1) }
        for name in names {
            let entry = folder + "/" + name
            nodes.append(
                Node(
                    path: devices + "/" + name,
                    name: VideoBus.line(entry + "/name") ?? name,
                    isFirst: VideoBus.line(entry + "/index") ?? "0" == "0",
                    usb: VideoBus.usbAddress(of: entry + "/device"),
                    camera: VideoBus.target(entry + "/device") ?? entry
                )
            )
        }
        return nodes
    }

    /// The device of a path, which may be a link.
    func node(ofPath path: String) -> Node? {
        let real = VideoBus.target(path) ?? path
        return nodes().first { $0.path == path || VideoBus.target($0.path) ?? $0.path == real }
    }

    /// The device of the same camera that gives pictures, if `path` does not.
    func pictures(besides path: String) -> String? {
        guard let node = node(ofPath: path) else { return nil }
        return nodes().first { $0.camera == node.camera && $0.isFirst && $0.path != node.path }?
            .path
    }

    /// The USB device above an interface.
    private static func usbAddress(of interface: String) -> USBAddress? {
        guard let vendor = line(interface + "/../idVendor"),
            let product = line(interface + "/../idProduct")
        else { return nil }
        return USBAddress(
            vendor: vendor,
            product: product,
            serial: line(interface + "/../serial")
        )
    }

    /// The first line of a small file.
    private static func line(_ path: String) -> String? {
        let descriptor = unsafe clibc_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
        // What cannot be printed must not reach a terminal.
        return String(
            decoding: line.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") },
            as: UTF8.self
        )
    }

    /// Where a path leads without any links.
    private static func target(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    private static func entries(of folder: String) -> [String] {
        guard let opened = unsafe opendir(folder) else { return [] }
        defer { unsafe _ = closedir(opened) }
        var names: [String] = []
        while let entry = unsafe readdir(opened) {
            // Safety: the name ends with a zero, and is copied before the next call.
            names.append(unsafe String(cString: clibc_entry_name(entry)))
        }
        return names
    }
}
