// SPDX-License-Identifier: Apache-2.0

/// Turns answers that flicker into a condition that holds or does not.
///
/// The condition is entered after `hold` answers in a row for it, and left after `hold` answers in
/// a row against it. In between, a lower probability is enough to stay than to enter.
public struct Hysteresis: Sendable {
    /// What an answer did to the condition.
    public enum Change: Sendable {
        /// The condition holds from this answer on.
        case entered
        /// The condition holds no longer.
        case left
    }

    /// How many answers in a row change the condition.
    public let hold: Int
    /// The least probability of the watched answer that counts as being for the condition.
    public let enterProbability: Float
    /// The least probability of the watched answer that counts as being for a condition that holds;
    /// nil asks for the same as entering.
    public let leaveProbability: Float?
    /// Whether the condition holds.
    public private(set) var isOn = false
    /// The answers in a row that contradict `isOn`.
    private(set) var contradictions = 0

    /// A condition that does not hold yet.
    ///
    /// - Precondition: `hold` is positive.
    public init(hold: Int = 1, enterProbability: Float = 0, leaveProbability: Float? = nil) {
        precondition(hold > 0)
        self.hold = hold
        self.enterProbability = enterProbability
        self.leaveProbability = leaveProbability
    }

    /// Goes on where an earlier condition stood.
    mutating func restore(isOn: Bool, contradictions: Int) {
        self.isOn = isOn
        self.contradictions = min(max(0, contradictions), hold - 1)
    }

    /// Counts an answer.
    ///
    /// - Parameters:
    ///   - isMatch: whether the answer was the watched one.
    ///   - probability: that of the watched answer; 0 if it is not known.
    /// - Returns: the change that this answer made, if it made one.
    @_noAllocation @_noLocks
    public mutating func add(isMatch: Bool, probability: Float) -> Change? {
        let isFor: Bool
        if isOn, let leaveProbability {
            isFor = probability >= leaveProbability
        } else {
            isFor = isMatch && probability >= enterProbability
        }
        guard isFor != isOn else {
            contradictions = 0
            return nil
        }
        contradictions += 1
        guard contradictions >= hold else { return nil }
        contradictions = 0
        isOn = isFor
        return isOn ? .entered : .left
    }
}
