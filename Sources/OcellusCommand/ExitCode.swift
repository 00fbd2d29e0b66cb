// SPDX-License-Identifier: Apache-2.0

/// How the programs end, after BSD's sysexits.h.
///
/// Part of the interface: scripts rely on it.
public enum ExitCode: Int32, Sendable {
    /// Done.
    case success = 0
    /// The command line is wrong.
    case usage = 64
    /// A picture, a clip or a saved state is damaged or too large.
    case badInput = 65
    /// A file is not there or cannot be read.
    case noInput = 66
    /// A program that is needed (ffmpeg, or that of a rule) is not there.
    case unavailable = 69
    /// There is not enough memory.
    case noMemory = 71
    /// Results cannot be written.
    case cannotWrite = 74
    /// A signal ended the work before there was a result.
    case interrupted = 75
    /// A model file is damaged or not supported.
    case badModel = 78
}
