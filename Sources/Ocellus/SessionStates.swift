// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import OcellusModels

/// The decoder states that a session keeps, and the logits that it compares choices with.
struct SessionStates {
    /// All that was seen: what a question forks.
    let live: PlannedTensor
    /// What answers one question; overwritten by the next.
    let fork: PlannedTensor
    /// The fork after the question, from which each choice starts.
    let question: PlannedTensor
    /// The logits after the question, (1, vocabularySize).
    let questionLogits: PlannedTensor
    /// The states between a token and those drafted behind it; nil without drafts.
    let trail: PlannedTensor?

    init(decoder: borrowing MambaDecoder, planner: inout MemoryPlanner) {
        let count = decoder.stateLayout.count
        live = planner.tensor("state.live", rows: 1, columns: count, in: .state)
        fork = planner.tensor("state.fork", rows: 1, columns: count, in: .state)
        question = planner.tensor("state.question", rows: 1, columns: count, in: .state)
        questionLogits = planner.tensor(
            "state.logits",
            rows: 1,
            columns: decoder.configuration.vocabularySize,
            in: .state
        )
        trail =
            decoder.draftLength == 0
            ? nil
            : planner.tensor(
                "state.trail",
                rows: decoder.draftLength,
                columns: count,
                in: .state
            )
    }
}
