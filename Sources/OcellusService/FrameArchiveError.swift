// SPDX-License-Identifier: Apache-2.0
public import OcellusImage

/// Why a frame could not be kept.
public enum FrameArchiveError: Error {
    /// The folder cannot be made or read; `reason` is the system's.
    case unusableFolder(path: String, reason: String)
    /// A file cannot be written or removed; `reason` is the system's.
    case cannotWrite(path: String, reason: String)
    /// One frame alone is larger than the budget.
    case budgetTooSmall(neededBytes: Int, budget: Int)
    /// The frame cannot be encoded.
    case image(ImageError)

    /// The fact, then the remedy.
    public var description: String {
        switch self {
        case .unusableFolder(let path, let reason):
            "frames cannot be kept in \(path): \(reason)"
        case .cannotWrite(let path, let reason):
            "\(path) cannot be written: \(reason)"
        case .budgetTooSmall(let neededBytes, let budget):
            "a frame takes \(neededBytes) bytes, all frames may take \(budget); "
                + "allow more with --budget"
        case .image(let error):
            error.description
        }
    }
}
