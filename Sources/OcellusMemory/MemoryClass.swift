// SPDX-License-Identifier: Apache-2.0

/// What a buffer of the arena is kept for.
///
/// Weights are the third class of memory; they are mapped from the model file and never part of
/// the arena.
public enum MemoryClass: Sendable {
    /// Lives as long as the session: states, snapshots, prepared parameters, frame slots.
    case state
    /// Lives between two steps of a run; its bytes are reused by others.
    case scratch

    /// The name as `ocellus plan` prints it.
    public var name: String {
        switch self {
        case .state: "state"
        case .scratch: "scratch"
        }
    }
}
