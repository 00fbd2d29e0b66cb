// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusConversion
import OcellusFormat
import OcellusImage
import OcellusMemory
import OcellusModels
import OcellusQuantization
import OcellusTokenizer

/// Why a command stops: what to say on standard error, and how to exit.
struct KitError: Error {
    /// The exit codes of `ocellus`, after BSD's sysexits.h.
    enum Code: Int32 {
        case usage = 64
        case badInput = 65
        case noInput = 66
        case noMemory = 71
        case cannotWrite = 74
        case badModel = 78
    }

    let exitCode: Code
    let message: String

    init(_ exitCode: Code, _ message: String) {
        self.exitCode = exitCode
        self.message = message
    }

    init(_ error: ModelFileError) {
        switch error {
        case .cannotOpen: self.init(.noInput, error.description)
        case .cannotWrite: self.init(.cannotWrite, error.description)
        default: self.init(.badModel, error.description)
        }
    }

    init(_ error: QuantizationError) {
        switch error {
        case .alreadyQuantized, .noMatrix: self.init(.badInput, error.description)
        case .notFinite, .beyondHalf: self.init(.badModel, error.description)
        }
    }

    init(_ error: ConversionError) {
        switch error {
        case .missingFile: self.init(.noInput, error.description)
        default: self.init(.badModel, error.description)
        }
    }

    init(_ error: ImageError) {
        switch error {
        case .unreadable: self.init(.noInput, error.description)
        case .badCrop: self.init(.usage, error.description)
        default: self.init(.badInput, error.description)
        }
    }

    init(_ error: OcellusError) {
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

/// Runs a body, and turns an error of the runtime into one with a message and an exit code.
func describing<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as ModelFileError {
        throw KitError(error)
    } catch let error as QuantizationError {
        throw KitError(error)
    } catch let error as ConversionError {
        throw KitError(error)
    } catch let error as ImageError {
        throw KitError(error)
    } catch let error as OcellusError {
        throw KitError(error)
    }
}

/// Runs a body that writes to a path, and turns its error into one with a message and an exit code.
func writing(to path: String, _ body: () throws -> Void) throws {
    do {
        try body()
    } catch {
        throw KitError(.cannotWrite, "\(path): cannot be written: \(error.localizedDescription)")
    }
}
