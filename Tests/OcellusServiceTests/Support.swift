// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusCapture
import OcellusImage
import OcellusService

/// The files that the tests read.
enum Fixture {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The frames of a clip of Tests/Fixtures/clips, from a folder.
    static func clip(_ name: String, stop: StopSignal? = nil) throws -> FrameSource {
        try FrameSource.open(
            SourceSettings(
                path: root.appendingPathComponent("Tests/Fixtures/clips/\(name)").path,
                period: .milliseconds(500),
                stop: stop
            )
        )
    }

    /// A session with the shipped model, planned for frames up to 640 x 640.
    static func session(
        memory: StreamMemory = .rolling,
        unchangedThreshold: Float = 0
    ) throws -> Session {
        let options = SessionOptions(
            maximumFrame: ImageSize(width: 640, height: 640),
            memory: memory,
            unchangedThreshold: unchangedThreshold
        )
        let path = root.appendingPathComponent("models/ommatidium").path
        return try Session(try Model(path: path, options: options))
    }

    /// A folder that is removed after `body`.
    static func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("ocellus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }
}

extension WatchLoop {
    /// A loop that asks one question freely.
    static func asking(
        _ question: String,
        _ session: borrowing Session,
        rule: WatchRule? = nil,
        settings: WatchSettings = WatchSettings(),
        keeper: StateKeeper? = nil
    ) throws -> WatchLoop {
        WatchLoop(
            questions: [
                StandingQuestion(question, prompt: try session.prompt(question), rule: rule)
            ],
            style: AnswerStyle(),
            settings: settings,
            keeper: keeper
        )
    }
}
