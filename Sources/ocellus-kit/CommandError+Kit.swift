// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusCapture
import OcellusCommand
import OcellusConversion
import OcellusFormat
import OcellusImage
import OcellusQuantization

extension CommandError {
    /// The exit code that belongs to an error of the quantiser.
    init(_ error: QuantizationError) {
        switch error {
        case .alreadyQuantized, .noMatrix, .nothingToPack, .alreadyPacked, .notPacked:
            self.init(.badInput, error.description)
        case .notFinite, .beyondHalf: self.init(.badModel, error.description)
        }
    }

    /// The exit code that belongs to an error of the converter.
    init(_ error: ConversionError) {
        switch error {
        case .missingFile: self.init(.noInput, error.description)
        case .unusedOption: self.init(.usage, error.description)
        default: self.init(.badModel, error.description)
        }
    }
}

extension StopSignal {
    /// Ends the work once the signal has come.
    ///
    /// - Parameter output: What is written, and will not be left.
    /// - Throws: `CommandError` with the exit code for work that was interrupted.
    func heed(writing output: String) throws {
        guard isRaised else { return }
        throw CommandError(.interrupted, "\(output): stopped by a signal; nothing is left")
    }
}

/// Runs a body, and turns an error of the libraries into one with a message and an exit code.
func describing<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as ModelFileError {
        throw CommandError(error)
    } catch let error as QuantizationError {
        throw CommandError(error)
    } catch let error as ConversionError {
        throw CommandError(error)
    } catch ImageError.pictureTooLarge(let path, let size, let limit),
        CaptureError.image(.pictureTooLarge(let path, let size, let limit))
    {
        // Here is no option that allows more.
        throw CommandError(
            .badInput,
            "\(path) has \(size.description) pixels, the limit is \(limit.description); scale it down"
        )
    } catch let error as ImageError {
        throw CommandError(error)
    } catch let error as CaptureError {
        throw CommandError(error)
    } catch let error as OcellusError {
        throw CommandError(error)
    }
}

/// Runs a body that writes to a path, and turns its error into one with a message and an exit code.
func writing(to path: String, _ body: () throws -> Void) throws {
    do {
        try body()
    } catch {
        throw CommandError(
            .cannotWrite,
            "\(path): cannot be written: \(error.localizedDescription)"
        )
    }
}
