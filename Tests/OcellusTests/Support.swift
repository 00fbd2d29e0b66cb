// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusImage

/// The files that the tests read.
enum Fixture {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The shipped model.
    static let model = root.appendingPathComponent("models/ommatidium").path

    /// A file of Tests/Fixtures.
    static func path(_ name: String) -> String {
        root.appendingPathComponent("Tests/Fixtures").appendingPathComponent(name).path
    }
}

extension Session {
    /// A session with the shipped model, planned for frames up to 640 x 640.
    static func shipped(
        threadCount: Int = 1,
        chunkLength: Int = 64,
        memory: StreamMemory? = .rolling,
        unchangedThreshold: Float = 0,
        reuseThreshold: Float? = nil
    ) throws -> Session {
        let options = SessionOptions(
            threadCount: threadCount,
            chunkLength: chunkLength,
            maximumFrame: ImageSize(width: 640, height: 640),
            memory: memory,
            unchangedThreshold: unchangedThreshold,
            reuseThreshold: reuseThreshold
        )
        return try Session(try Model(path: Fixture.model, options: options))
    }

    /// A picture of Tests/Fixtures, in the session's frame slot.
    func picture(fixture name: String) throws -> Frame {
        guard let slot = frameSlot else { throw OcellusError.noVision(path: name) }
        return try PictureFile.decode(Fixture.path(name), into: slot)
    }

    /// Sees a picture of Tests/Fixtures.
    mutating func see(fixture name: String) throws {
        try see(try picture(fixture: name))
    }

    /// The answer to a question, with greedy sampling.
    mutating func text(_ question: String) throws -> String {
        var answer = Answer(capacity: 32)
        self.answer(try prompt(question), maximumTokens: 32, into: &answer)
        return answer.text
    }
}
