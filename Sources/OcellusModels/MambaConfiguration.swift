// SPDX-License-Identifier: Apache-2.0
public import OcellusFormat

/// The sizes of a Mamba decoder, as its file states them.
///
/// Names follow the papers: Gu and Dao 2023 (Mamba), Dao and Gu 2024 (Mamba-2).
public struct MambaConfiguration: Sendable {
    /// Which recurrence the mixer runs.
    public enum Family: Sendable {
        /// Mamba: a selective scan with a diagonal state matrix; `dtRank` is the rank of Δ.
        ///
        /// `normEpsilon` is that of the norms of dt, B and C, which FalconMamba has, or nil.
        case mamba1(dtRank: Int, normEpsilon: Float?)
        /// Mamba-2: one decay per head; B and C are shared by the heads of a group.
        case mamba2(headCount: Int, groupCount: Int)
    }

    /// The recurrence.
    public let family: Family
    /// The count of layers.
    public let layerCount: Int
    /// The width of the residual stream.
    public let dModel: Int
    /// The width inside a mixer, E in the papers.
    public let dInner: Int
    /// The size of the state of one channel, N in the papers.
    public let dState: Int
    /// The length of the causal convolution.
    public let dConv: Int
    /// The count of rows of the embedding, padding included.
    public let vocabularySize: Int
    /// The epsilon of all RMS norms.
    public let epsilon: Float

    /// The count of channels that the causal convolution sees.
    public var convolutionChannels: Int {
        switch family {
        case .mamba1: dInner
        case .mamba2(_, let groupCount): dInner + 2 * groupCount * dState
        }
    }

    /// The count of outputs of `in_proj`.
    public var projectedWidth: Int {
        switch family {
        case .mamba1: 2 * dInner
        case .mamba2(let headCount, _): dInner + convolutionChannels + headCount
        }
    }

    /// Reads and checks the sizes.
    ///
    /// - Throws: `ModelError.file` for missing keys, `.unsupported` for another architecture or
    ///   sizes that contradict each other.
    public init(file: borrowing ModelFile) throws(ModelError) {
        let path = file.path
        let architecture = file.architecture
        guard architecture == "mamba" || architecture == "mamba2" else {
            throw .unsupported(
                path: path,
                what: "architecture '\(architecture)' is not a decoder that this version runs; "
                    + "mamba and mamba2 are"
            )
        }
        func size(_ key: String, default fallback: Int? = nil) throws(ModelError) -> Int {
            let key = "\(architecture).\(key)"
            if let fallback, !file.contains(key) { return fallback }
            let value = try reading { () throws(ModelFileError) in try file.int(key) }
            // Sizes far above any model are damage; they also keep all products inside an Int.
            guard value > 0, value <= 1 << 24 else {
                throw .unsupported(path: path, what: "\(key) is \(value), not a possible size")
            }
            return value
        }
        layerCount = try size("block_count")
        dModel = try size("embedding_length")
        dInner = try size("ssm.inner_size")
        dState = try size("ssm.state_size")
        dConv = try size("ssm.conv_kernel")
        guard dConv >= 2 else {
            throw .unsupported(path: path, what: "\(architecture).ssm.conv_kernel is below 2")
        }
        let epsilon = try reading { () throws(ModelFileError) in
            try file.float("\(architecture).attention.layer_norm_rms_epsilon")
        }
        guard epsilon.isFinite, epsilon >= 0 else {
            throw .unsupported(path: path, what: "the epsilon of the norms is not a number above 0")
        }
        self.epsilon = epsilon
        // In Mamba-2 files this key holds the count of heads.
        let timeStepRank = try size("ssm.time_step_rank")
        if architecture == "mamba" {
            let hasNorms = try reading { () throws(ModelFileError) in
                try file.bool("mamba.ssm.dt_b_c_rms", default: false)
            }
            // llama.cpp has no key for it, and takes the epsilon of the other norms.
            let normEpsilon = try reading { () throws(ModelFileError) in
                try file.float("ocellus.mamba.dt_b_c_rms_epsilon", default: epsilon)
            }
            guard normEpsilon.isFinite, normEpsilon >= 0 else {
                throw .unsupported(
                    path: path,
                    what: "the epsilon of the norms of dt, B and C is not a number above 0"
                )
            }
            family = .mamba1(dtRank: timeStepRank, normEpsilon: hasNorms ? normEpsilon : nil)
        } else {
            let groupCount = try size("ssm.group_count", default: 1)
            guard dInner % timeStepRank == 0, dInner % groupCount == 0,
                timeStepRank % groupCount == 0
            else {
                throw .unsupported(
                    path: path,
                    what: "inner size \(dInner), \(timeStepRank) heads and \(groupCount) groups "
                        + "do not divide"
                )
            }
            family = .mamba2(headCount: timeStepRank, groupCount: groupCount)
        }
        let shape = try reading { () throws(ModelFileError) in
            try file.shape(of: "token_embd.weight")
        }
        guard shape.count == 2, shape[0] == dModel, shape[1] > 0 else {
            throw .mismatch(
                path: path,
                what: "the row length of token_embd.weight",
                expected: dModel,
                found: shape.first ?? 0
            )
        }
        vocabularySize = shape[1]
    }
}
