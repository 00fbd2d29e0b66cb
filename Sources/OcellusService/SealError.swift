// SPDX-License-Identifier: Apache-2.0

/// Why a process cannot be sealed.
public enum SealError: Error {
    /// A declared path cannot be found.
    case path(String, reason: String)
    /// The system refuses a protection that it has.
    case refused(protection: String, reason: String)
    /// The process has no room for what it needs to be sealed.
    case outOfMemory

    /// The fact, then the remedy.
    public var description: String {
        switch self {
        case .path(let path, let reason):
            "\(path) cannot be declared to --seal: \(reason)"
        case .refused(let protection, let reason):
            "--seal cannot \(protection): \(reason); run without --seal, or find out which "
                + "sandbox around it forbids that"
        case .outOfMemory:
            "there is no memory to seal the process"
        }
    }
}
