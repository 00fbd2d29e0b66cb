// SPDX-License-Identifier: Apache-2.0
public import Ocellus
public import OcellusCapture
public import OcellusFormat
public import OcellusImage
import OcellusModels

/// Why a command of either program stops: what to say on standard error, and how to exit.
public struct CommandError: Error {
    /// How to exit.
    public let exitCode: ExitCode
    /// What to say.
    public let message: String

    /// A reason of its own.
    public init(_ exitCode: ExitCode, _ message: String) {
        self.exitCode = exitCode
        self.message = message
    }

    /// A wrong command line.
    public static func usage(_ message: String) -> CommandError {
        CommandError(.usage, message)
    }
}

extension CommandError {
    /// The exit code that belongs to an error of a model file.
    public init(_ error: ModelFileError) {
        switch error {
        case .cannotOpen: self.init(.noInput, error.description)
        case .cannotWrite: self.init(.cannotWrite, error.description)
        case .outOfMemory: self.init(.noMemory, error.description)
        default: self.init(.badModel, error.description)
        }
    }

    /// The exit code that belongs to an error of a picture.
    public init(_ error: ImageError) {
        switch error {
        case .unreadable: self.init(.noInput, error.description)
        case .badCrop: self.init(.usage, error.description)
        case .outOfMemory: self.init(.noMemory, error.description)
        default: self.init(.badInput, error.description)
        }
    }

    /// The exit code that belongs to an error of a source of frames.
    public init(_ error: CaptureError) {
        switch error {
        case .image(let inner): self.init(inner)
        case .camera(.control): self.init(.usage, error.description)
        case .camera: self.init(.noInput, error.description)
        case .unreadable, .emptyFolder: self.init(.noInput, error.description)
        case .unwritable: self.init(.cannotWrite, error.description)
        case .programMissing, .programTooOld: self.init(.unavailable, error.description)
        case .badAddress, .lengthUnknown: self.init(.usage, error.description)
        case .stopped: self.init(.success, error.description)
        case .unknownStream, .programFailed, .incomplete, .damaged, .unsupported:
            self.init(.badInput, error.description)
        }
    }

    /// The exit code that belongs to an error of the library.
    public init(_ error: OcellusError) {
        switch error {
        case .model(.file(let inner)): self.init(inner)
        case .image(let inner): self.init(inner)
        case .model, .tokenizer, .mixedFiles: self.init(.badModel, error.description)
        case .memory: self.init(.noMemory, error.description)
        case .state: self.init(.badInput, error.description)
        case .noVision, .emptyPrompt, .badChoices: self.init(.usage, error.description)
        }
    }
}
