// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusCommand
import OcellusImage
import OcellusService

/// `ocellus watch --save-frames DIR --budget BYTES`: the frames that answers were about.
struct KeptFrames {
    /// The options.
    static let options = [Option("--save-frames", "DIR"), Option("--budget", "BYTES")]

    /// Their explanation.
    static let help = """
          --save-frames DIR   a JPEG in DIR of each frame that an answer was about, named by time and
                              first answer; the oldest make room for new ones
          --budget BYTES      what they may take together: 500000, 800K, 500M, 2G (default 100M)
        """

    /// The folder.
    let archive: FrameArchive
    /// The file of the newest frame in it; nil if it could not be kept.
    private(set) var file: String?

    private var lastFrame: Int?
    private var cannotKeep = false

    /// Makes sure, before the source is opened, that frames can be kept.
    ///
    /// - Throws: a usage error, or that the folder cannot be used.
    static func check(_ arguments: Arguments) throws(CommandError) {
        _ = try budget(arguments)
        guard let folder = arguments.string("--save-frames") else {
            return try arguments.refuse(["--budget"], "belongs to --save-frames DIR")
        }
        do throws(FrameArchiveError) {
            try FrameArchive.prepare(folder)
        } catch {
            throw CommandError(.cannotWrite, error.description)
        }
    }

    /// Opens the folder.
    ///
    /// - Returns: nil if nothing is to be kept.
    /// - Throws: a usage error, or that the folder cannot be used.
    init?(_ arguments: Arguments, maximumFrame: ImageSize) throws(CommandError) {
        guard let folder = arguments.string("--save-frames") else { return nil }
        let budget = try KeptFrames.budget(arguments)
        do throws(FrameArchiveError) {
            archive = try FrameArchive(folder: folder, budget: budget, maximumFrame: maximumFrame)
        } catch {
            throw CommandError(.cannotWrite, error.description)
        }
    }

    private static func budget(_ arguments: Arguments) throws(CommandError) -> Int {
        try arguments.bytes("--budget", default: 100 << 20)
    }

    /// Keeps the frame of an answer, once for all its questions.
    ///
    /// What prevents it is told once.
    mutating func keep(_ loop: WatchLoop, _ session: borrowing Session) {
        guard let frame = loop.frame, lastFrame != loop.frameCount else { return }
        lastFrame = loop.frameCount
        do throws(FrameArchiveError) {
            file = try archive.save(
                frame,
                answer: Questioner.answerText(loop.answer, session),
                nanosecondsSince1970: WallClock.nanoseconds(atMonotonic: loop.frameMoment)
            )
            cannotKeep = false
        } catch {
            file = nil
            if !cannotKeep { writeNote("ocellus: " + error.description) }
            cannotKeep = true
        }
    }
}

extension Arguments {
    /// A count of bytes: `500000`, `64K`, `500M` or `2G`, in powers of 1024.
    fileprivate func bytes(_ name: String, default fallback: Int) throws(CommandError) -> Int {
        guard let text = string(name) else { return fallback }
        var digits = Array(text.utf8)
        let shift: Int
        switch digits.last.map({ $0 | 0x20 }) {
        case UInt8(ascii: "k"): shift = 10
        case UInt8(ascii: "m"): shift = 20
        case UInt8(ascii: "g"): shift = 30
        default: shift = 0
        }
        if shift > 0 { digits.removeLast() }
        guard let count = Int(String(decoding: digits, as: UTF8.self)), count > 0,
            count <= Int.max >> shift
        else {
            throw .usage("\(name) '\(text)' is not a count of bytes such as 500000, 64K or 500M")
        }
        return count << shift
    }
}
