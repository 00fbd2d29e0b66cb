// SPDX-License-Identifier: Apache-2.0
import CLibc
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
    private let root: String

    init() throws {
        var template = Array("/tmp/ocellus-sysfs-XXXXXX".utf8CString)
        root = template.withUnsafeMutableBufferPointer { text in
            text.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/nowhere"
        }
        run("mkdir -p \(root)/sys/class/video4linux \(root)/dev")
    }

    deinit { run("rm -r \(root)") }

    var bus: VideoBus { VideoBus(system: root + "/sys", devices: root + "/dev") }

    func add(
        _ name: String,
        camera: String,
        index: Int,
        vendor: String,
        product: String,
        serial: String?
    ) throws {
        let device = "\(root)/sys/devices/\(camera)"
        let node = "\(device)/\(camera):1.0/video4linux/\(name)"
        run("mkdir -p \(node); ln -s ../.. \(node)/device; touch \(root)/dev/\(name)")
        run("echo A camera > \(node)/name; echo \(index) > \(node)/index")
        run("echo \(vendor) > \(device)/idVendor; echo \(product) > \(device)/idProduct")
        if let serial { run("echo \(serial) > \(device)/serial") }
        run("ln -s \(node) \(root)/sys/class/video4linux/\(name)")
    }

    private func run(_ command: String) {
        #expect(system(command) == 0)
    }
}
