// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import OcellusCapture

/// Cameras are found by what they are, in a sysfs that a test makes.
@Suite struct CameraAddressTests {
    @Test(
        arguments: [
            ("/dev/video0", "/dev/video0"),
            ("/dev/v4l/by-id/usb-X-index0", "/dev/v4l/by-id/usb-X-index0"),
            ("usb:46D:825", "usb:046d:0825"), ("usb:046d:0825:A1:B2", "usb:046d:0825:A1:B2"),
            ("usb:046d:0825:", "usb:046d:0825"),
        ]
    )
    func names(text: String, meaning: String) throws {
        #expect(try #require(CameraAddress(text)).description == meaning)
    }

    @Test(arguments: ["usb:", "usb:046d", "usb:xyz:1", "usb:12345:1", "clip.mp4", "-", "/dev/null"])
    func otherNames(text: String) {
        #expect(CameraAddress(text) == nil)
    }

    @Test func aCameraIsFoundUnderAnyNumber() throws {
        let system = try FakeSystem()
        try system.add(
            "video0",
            camera: "1-1",
            index: 0,
            vendor: "046d",
            product: "0825",
            serial: "S1"
        )
        try system.add(
            "video1",
            camera: "1-1",
            index: 1,
            vendor: "046d",
            product: "0825",
            serial: "S1"
        )
        try system.add(
            "video10",
            camera: "1-2",
            index: 0,
            vendor: "046d",
            product: "0825",
            serial: nil
        )
        try system.add(
            "video9",
            camera: "1-3",
            index: 0,
            vendor: "0c45",
            product: "6366",
            serial: nil
        )
        let bus = system.bus
        #expect(
            bus.nodes().map { $0.path.suffix(7) } == ["/video0", "/video1", "/video9", "video10"]
        )
        for (text, path) in [
            ("usb:046d:0825", "/video0"), ("usb:046d:0825:S1", "/video0"),
            ("usb:0c45:6366", "/video9"),
        ] {
            let found = try #require(CameraAddress(text)).resolve(in: bus)
            #expect(found.hasSuffix(path))
        }
        #expect(throws: CaptureFault.self) {
            try CameraAddress("usb:046d:0825:S2")?.resolve(in: bus)
        }
        let metadata = bus.nodes()[1].path
        #expect(bus.pictures(besides: metadata)?.hasSuffix("/video0") == true)
        #expect(bus.nodes()[0].usb?.description == "usb:046d:0825:S1")
    }

    @Test func withoutSysfsThereAreNone() {
        #expect(VideoBus(system: "/nowhere", devices: "/dev").nodes().isEmpty)
    }
}

/// Folders as the kernel shows them.
private final class FakeSystem {
    private let root: URL
    private let files = FileManager.default

    init() throws {
        root = files.temporaryDirectory.appending(path: "ocellus-sysfs-\(UUID().uuidString)")
        try folder(root.appending(path: "sys/class/video4linux"))
        try folder(root.appending(path: "dev"))
    }

    deinit { try? files.removeItem(at: root) }

    var bus: VideoBus { VideoBus(system: root.path + "/sys", devices: root.path + "/dev") }

    func add(
        _ name: String,
        camera: String,
        index: Int,
        vendor: String,
        product: String,
        serial: String?
    ) throws {
        let device = root.appending(path: "sys/devices/\(camera)")
        let interface = device.appending(path: "\(camera):1.0")
        let node = interface.appending(path: "video4linux/\(name)")
        try folder(node)
        try files.createSymbolicLink(
            at: node.appending(path: "device"),
            withDestinationURL: interface
        )
        try files.createSymbolicLink(
            at: root.appending(path: "sys/class/video4linux/\(name)"),
            withDestinationURL: node
        )
        try write("", to: root.appending(path: "dev/\(name)"))
        try write("A camera\n", to: node.appending(path: "name"))
        try write("\(index)\n", to: node.appending(path: "index"))
        try write(vendor + "\n", to: device.appending(path: "idVendor"))
        try write(product + "\n", to: device.appending(path: "idProduct"))
        if let serial { try write(serial + "\n", to: device.appending(path: "serial")) }
    }

    private func folder(_ url: URL) throws {
        try files.createDirectory(at: url, withIntermediateDirectories: true)
    }

    private func write(_ text: String, to url: URL) throws {
        try text.write(to: url, atomically: false, encoding: .utf8)
    }
}
