// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The network camera that is not there: Tests/Network/camera.py on the loopback.
final class NetworkCamera: @unchecked Sendable {  // changed by one thread at a time
    private let process = Process()
    private let portFile = NSTemporaryDirectory() + "ocellus-\(UUID().uuidString)"
    /// Where it listens.
    let port: Int

    static let isPossible = ["/usr/bin/python3", "/usr/bin/ffmpeg"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// One for all tests that leave it alive.
    static let shared = try? NetworkCamera()

    init(port: Int = 0) throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Network/camera.py").path
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [script, portFile, "--port", "\(port)"]
        try process.run()
        var found: Int?
        for _ in 0..<2400 {
            found = (try? String(contentsOfFile: portFile, encoding: .utf8)).flatMap { Int($0) }
            if found != nil { break }
            usleep(50_000)
        }
        self.port = try #require(found)
    }

    /// An address of it; see the script for the paths.
    func address(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

    /// Ends it as a power cut does.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    deinit {
        kill()
        unlink(portFile)
    }
}
