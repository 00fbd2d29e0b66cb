// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// What a projector is planned for: the features of a frame, and where its tokens go.
struct ProjectorInput {
    /// The arrangement of the features.
    let grid: FeatureGrid
    /// The width of a feature.
    let width: Int
    /// The buffer of the features, if its life ends with their first use.
    let owned: PlannedTensor?
    /// The count of rows that the buffer of tokens has before the image tokens.
    let rowsBefore: Int
}

extension MemoryPlanner {
    /// Ends the life of a buffer, if it is to end here.
    mutating func release(_ tensor: PlannedTensor?) {
        if let tensor { release(tensor) }
    }
}
