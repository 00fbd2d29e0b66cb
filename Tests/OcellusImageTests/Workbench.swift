// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusCapture
import OcellusImage
import OcellusMemory

/// A folder for the files of one test, removed with it.
final class Workbench {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "ocellus-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: folder.appending(path: name))
        return path(name)
    }

    /// Whether ffmpeg can make clips for tests.
    static let hasFFmpeg = run("ffmpeg", ["-version"]) == 0

    /// Runs ffmpeg on ffmpeg's own test picture, or on a photograph: ten pictures per second.
    func film(
        _ name: String,
        size: String = "64x48",
        of photograph: String? = nil,
        _ options: [String]
    ) throws -> String {
        let source =
            if let photograph {
                ["-loop", "1", "-framerate", "10", "-t", "2", "-i", photograph]
            } else {
                ["-f", "lavfi", "-i", "testsrc2=size=\(size):rate=10:duration=2"]
            }
        let status = Workbench.run(
            "ffmpeg",
            ["-v", "error"] + source + options + ["-y", path(name)]
        )
        guard status == 0 else { throw CocoaError(.fileWriteUnknown) }
        return path(name)
    }

    /// Whether no child of a name, working on a path, is left; those that have ended and were not
    /// reaped included.
    ///
    /// One that has ended does not say any more what it worked on. Those of tests that run beside this
    /// one come and go; one that was forgotten stays.
    static func leavesNoChild(named name: String, workingOn path: String) -> Bool {
        for _ in 0..<1200 {
            if !hasChild(named: name, workingOn: path) { return true }
            usleep(50_000)
        }
        return false
    }

    private static func hasChild(named name: String, workingOn path: String) -> Bool {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.contains { process in
            func text(_ file: String) -> String {
                (try? String(contentsOfFile: "/proc/\(process)/\(file)", encoding: .utf8)) ?? ""
            }
            // "pid (name) state parent ..."
            let fields = text("stat").split(separator: " ")
            return fields.count > 3 && fields[1] == "(\(name))" && fields[3] == "\(getpid())"
                && (fields[2] == "Z" || text("cmdline").contains(path))
        }
    }

    @discardableResult
    static func run(_ program: String, _ arguments: [String]) -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// A frame with a copy of its pixels.
struct Shot {
    let size: ImageSize
    let number: Int
    let seconds: Double
    let rgb: [UInt8]
}

/// All frames of a source.
func shots(_ settings: SourceSettings) throws -> [Shot] {
    var source = try FrameSource.open(settings)
    let slot = Slot(source.maximumFrame.frameByteCount)
    var shots: [Shot] = []
    while let frame = try source.next(into: slot.bytes) {
        let seconds =
            Double(frame.timestamp.components.seconds)
            + Double(frame.timestamp.components.attoseconds) / 1e18
        shots.append(
            Shot(
                size: frame.size,
                number: frame.number,
                seconds: seconds,
                rgb: DecodeTests.rgb(frame)
            )
        )
    }
    return shots
}

/// The largest difference of two pictures of the same size.
func worstDifference(_ first: [UInt8], _ second: [UInt8]) -> Int {
    guard first.count == second.count else { return Int.max }
    return zip(first, second).map { abs(Int($0) - Int($1)) }.max() ?? 0
}

/// Why a source cannot be opened; nil if it can.
func errorOfOpening(_ settings: SourceSettings) -> CaptureError? {
    do {
        _ = try FrameSource.open(settings)
        return nil
    } catch {
        return error
    }
}
