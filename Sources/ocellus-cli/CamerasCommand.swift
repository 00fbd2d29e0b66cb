// SPDX-License-Identifier: Apache-2.0
import OcellusCapture
import OcellusCommand
import OcellusImage

/// `ocellus cameras`: what cameras there are, and what they can do.
struct CamerasCommand {
    static let help = """
        usage: ocellus cameras [--source DEVICE] [--json]
               ocellus cameras --source DEVICE --capture N --raw FILE [options]

        Lists the cameras of this system: formats, sizes, rates, and the controls that --control
        sets. With --capture it writes the bytes of N frames to a file, as the driver gives them.

          --source DEVICE     one camera only: /dev/video0, /dev/v4l/by-id/..., usb:046d:0825
          --json              one JSON object per device
          --capture N         take N frames
          --raw FILE          the file for them
        \(CameraOptions.help)

        examples:
          ocellus cameras
          ocellus cameras --source /dev/video0 --capture 3 --raw frames.yuv --format YUYV
        """

    private let arguments: Arguments

    init(_ texts: [String]) throws(CommandError) {
        arguments = try Arguments(
            texts,
            options: CameraOptions.options + [
                Option("--source", "DEVICE"), Option("--json"), Option("--capture", "N"),
                Option("--raw", "FILE"),
            ],
            command: "cameras"
        )
        guard arguments.positional.isEmpty else {
            throw .usage("a device follows --source: --source \(arguments.positional[0])")
        }
        guard arguments.has("--capture") == arguments.has("--raw") else {
            throw .usage("--capture and --raw belong together")
        }
        if !arguments.has("--capture") {
            try arguments.refuse(CameraOptions.names, "belongs to --capture N")
        }
    }

    func run() throws(CommandError) {
        if arguments.has("--capture") { return try capture() }
        if let source = arguments.string("--source") {
            do throws(CaptureError) {
                let finding = try Camera.find(source)
                if case .fault(let fault) = finding { throw .camera(fault) }
                return write(finding)
            } catch {
                throw CommandError(error)
            }
        }
        let findings = Camera.all()
        for finding in findings { write(finding) }
        if findings.isEmpty {
            writeNote("ocellus: this system has no cameras; plug one in, or look at: dmesg")
        }
    }

    private func write(_ finding: Camera.Finding) {
        if arguments.has("--json") { return writeLine(CameraReport.json(finding).text) }
        switch finding {
        case .camera(let camera): CameraReport.write(camera)
        case .fault(let fault): writeNote("ocellus: " + fault.description)
        }
    }

    private func capture() throws(CommandError) {
        let count = try arguments.int("--capture", default: 1, in: 1...1_000_000)
        let source = SourceSettings(
            path: try arguments.required("--source", "DEVICE"),
            camera: try CameraOptions.settings(arguments)
        )
        do throws(CaptureError) {
            let camera = try RawCapture(source)
            let file = try OutputFile(path: arguments.string("--raw") ?? "")
            writeNote("ocellus: " + camera.summary)
            for fault in camera.faults { writeNote("ocellus: " + fault.description) }
            for _ in 0..<count {
                guard let note = try camera.writeNext(to: file) else { break }
                write(note, of: camera)
            }
            if file.flush() { return }
        } catch {
            throw CommandError(error)
        }
        throw CommandError(.cannotWrite, "the frames cannot be written; is the disk full?")
    }

    private func write(_ note: RawCapture.Note, of camera: RawCapture) {
        guard arguments.has("--json") else {
            return writeLine(
                "frame \(note.sequence): \(note.byteCount) bytes"
                    + (note.isFlagged ? ", marked as damaged" : "")
            )
        }
        writeLine(
            JSON.object([
                ("sequence", .int(Int(note.sequence))),
                ("bytes", .int(note.byteCount)),
                ("flagged", .bool(note.isFlagged)),
                ("nanoseconds", .int(Int(note.nanoseconds))),
                ("format", .string(camera.format.description)),
                ("width", .int(camera.size.width)),
                ("height", .int(camera.size.height)),
            ]).text
        )
    }
}
