// SPDX-License-Identifier: Apache-2.0

/// What distinguishes the FastViTs of MobileCLIP.
///
/// - Source: timm, models/fastvit.py (fastvit_mci0 to fastvit_mci4).
struct FastViTArchitecture {
    /// timm's name.
    let name: String
    /// The channels of the first stage as published; each of the others has twice as many as the one before.
    private let width: Int
    /// The counts of blocks as published, stage by stage.
    private let blockCounts: [Int]

    /// MobileCLIP-S0 to S2 of 2024, and S3 and S4 of 2025.
    static let all = [
        FastViTArchitecture(name: "fastvit_mci0", width: 64, blockCounts: [2, 6, 10, 2]),
        FastViTArchitecture(name: "fastvit_mci1", width: 64, blockCounts: [4, 12, 20, 4]),
        FastViTArchitecture(name: "fastvit_mci2", width: 80, blockCounts: [4, 12, 24, 4]),
        FastViTArchitecture(name: "fastvit_mci3", width: 96, blockCounts: [2, 12, 24, 4, 2]),
        FastViTArchitecture(name: "fastvit_mci4", width: 128, blockCounts: [2, 12, 24, 4, 4]),
    ]

    var stageCount: Int { blockCounts.count }
    private var hasFiveStages: Bool { stageCount == 5 }
    /// Whether the stem's convolutions have a pointwise branch.
    var stemHasPointwise: Bool { !hasFiveStages }
    /// The norm before attention.
    var attentionNorm: NormedProjection.Norm { hasFiveStages ? .layer : .batch }

    /// Whether the downsampling before a stage has a squeeze-and-excitation.
    func hasExcitation(before stage: Int) -> Bool { !hasFiveStages && stage >= 2 }

    /// Whether a stage has attention behind positions, in place of convolutions.
    func hasAttention(in stage: Int) -> Bool { stage >= 3 }

    /// The counts of blocks of a model whose first stage is so wide; nil for one that was cut down.
    func blockCounts(width: Int) -> [Int]? { width == self.width ? blockCounts : nil }
}
