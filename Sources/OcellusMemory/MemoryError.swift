// SPDX-License-Identifier: Apache-2.0

/// Why a memory plan or its block could not be made.
public enum MemoryError: Error {
    /// The size of the named buffer is negative or does not fit an `Int`.
    case sizeOverflow(buffer: String)
    /// The system has no block of this size.
    case outOfMemory(neededBytes: Int)

    /// The fact, then the remedy.
    public var description: String {
        switch self {
        case .sizeOverflow(let buffer):
            "the size of buffer '\(buffer)' is not a possible size; the model file is damaged"
        case .outOfMemory(let neededBytes):
            "no block of \(neededBytes) bytes is available; see what needs it: ocellus plan"
        }
    }
}
