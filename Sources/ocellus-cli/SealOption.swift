// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusCapture
import OcellusCommand
import OcellusService

/// `--seal`: what `ocellus watch` declares, and what it says about it.
struct SealOption {
    static let help = """
          --seal              after the start, no more memory and no files or programs but those
                              that the other options name (a link that leads elsewhere is
                              refused); what this kernel can enforce is told
        """

    /// The bytes of heap that messages, questions and programs' ends may need.
    private static let reserve = 4 << 20

    private var seal: Seal?

    /// Restricts the files, if there is the option; to be called before threads are started.
    ///
    /// - Parameters:
    ///   - arguments: of the command.
    ///   - source: what is watched.
    ///   - startsPrograms: whether rules have commands.
    /// - Throws: `CommandError` for a declared path that is not there, or a refused protection.
    init(
        _ arguments: Arguments,
        source: SourceSettings,
        startsPrograms: Bool
    ) throws(CommandError) {
        guard arguments.has("--seal") else { return }
        var declaration = SealDeclaration()
        declaration.readable = [try arguments.required("--model", "DIR")]
        if let path = source.filePath { declaration.readable.append(path) }
        if let path = arguments.string("--state") {
            let file = StateKeeper.linkedFile(path)
            declaration.writable.append(StateKeeper.folder(of: file))
        }
        if let folder = arguments.string("--save-frames") { declaration.writable.append(folder) }
        declaration.cameras = source.isCamera
        declaration.programs = source.mayNeedProgram || startsPrograms
        do {
            seal = try Seal(declaration)
        } catch {
            throw CommandError(error)
        }
    }

    /// Closes the seal, and tells what is in force.
    mutating func close(_ frames: borrowing FrameSource) throws(CommandError) {
        guard var closing = seal else { return }
        do {
            try closing.close(reserve: SealOption.reserve + frames.decodingByteCount)
        } catch {
            throw CommandError(error)
        }
        writeNote("ocellus: " + closing.description)
        seal = closing
    }
}

extension CommandError {
    /// The exit code that belongs to an error of a seal.
    init(_ error: SealError) {
        switch error {
        case .path: self.init(.noInput, error.description)
        case .refused: self.init(.unavailable, error.description)
        case .outOfMemory: self.init(.noMemory, error.description)
        }
    }
}
