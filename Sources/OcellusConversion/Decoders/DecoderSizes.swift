// SPDX-License-Identifier: Apache-2.0

/// The sizes of a Mamba decoder, from any of the configurations that are published.
///
/// | layout | recognised by |
/// |---|---|
/// | Hugging Face | `model_type` is "mamba", "mamba2" or "falcon_mamba" |
/// | state-spaces, Mamba-1 and Mamba-2 | `d_model`; `ssm_cfg.layer` is "Mamba2" for the second |
///
/// Hugging Face's of state-spaces' own models repeat `d_model` and `ssm_cfg`, which their library does not
/// read: beside `hidden_size` these do not count.
///
/// - Source: state-spaces/mamba, mamba_ssm/models/config_mamba.py and modules/mamba{_simple,2}.py;
///   transformers, models/{mamba,mamba2,falcon_mamba}/configuration_*.py.
struct DecoderSizes {
    /// Which recurrence, with the sizes that only it has.
    enum Family {
        /// `normEpsilon` is that of FalconMamba's norms of dt, B and C, or nil if there are none.
        case mamba1(dtRank: Int, normEpsilon: Float?)
        case mamba2(headCount: Int, groupCount: Int)
    }

    let family: Family
    let dModel: Int
    let layerCount: Int
    let dInner: Int
    let dState: Int
    let dConv: Int
    let epsilon: Float
    let hasConvolutionBias: Bool
    /// What the layout calls the embedding.
    let embeddingName: String
    /// The count of the embedding's rows, if the configuration states it.
    let rowCount: Int?
    /// Whether the embedding is the matrix of the logits too, if the configuration states it.
    let isTied: Bool?

    /// Whether settings are those of a decoder.
    static func describes(_ settings: ModelSettings) -> Bool {
        isOriginal(settings)
            || ["mamba", "mamba2", "falcon_mamba"].contains(settings.json["model_type"]?.string)
    }

    private static func isOriginal(_ settings: ModelSettings) -> Bool {
        settings.has("d_model") && !settings.has("hidden_size")
    }

    /// Reads the sizes.
    ///
    /// - Throws: `ConversionError.missingKey`, `.badValue` and `.unsupported`.
    init(_ settings: ModelSettings) throws(ConversionError) {
        if Self.isOriginal(settings) {
            try self.init(original: settings)
        } else {
            try self.init(huggingFace: settings)
        }
        guard dConv > 1 else {
            throw .unsupported(path: settings.path, what: "a convolution over one token alone")
        }
        if case .mamba2(let headCount, let groupCount) = family,
            dInner % headCount != 0 || dInner % groupCount != 0 || headCount % groupCount != 0
        {
            throw .unsupported(
                path: settings.path,
                what:
                    "inner size \(dInner), \(headCount) heads and \(groupCount) groups do not divide"
            )
        }
    }

    private init(original settings: ModelSettings) throws(ConversionError) {
        try settings.require("rms_norm", true)
        let layers = try settings.list("attn_layer_idx")
        guard layers.isEmpty else {
            throw settings.bad(
                "attn_layer_idx",
                "empty: attention is not supported",
                .array(layers)
            )
        }
        if let inner = settings.json["d_intermediate"], inner.int != 0 {
            throw settings.bad("d_intermediate", "0: layers without an MLP", inner)
        }
        let mixer =
            settings.has("ssm_cfg")
            ? try settings.below("ssm_cfg")
            : ModelSettings(path: settings.path, json: .object([]), prefix: "ssm_cfg.")
        try mixer.require("bias", false)
        dModel = try settings.size("d_model")
        layerCount = try settings.size("n_layer")
        dConv = try mixer.size("d_conv", default: 4)
        dInner = try mixer.size("expand", times: dModel, default: 2)
        hasConvolutionBias = try mixer.flag("conv_bias", default: true)
        epsilon = try settings.number("norm_epsilon", default: 1e-5)
        embeddingName = "backbone.embedding.weight"
        let multiple = try settings.size("pad_vocab_size_multiple", default: 8)
        let vocabulary = try settings.sizeIfStated("vocab_size")
        rowCount = vocabulary.map { ($0 + multiple - 1) / multiple * multiple }
        isTied = try settings.flagIfStated("tie_embeddings")
        let layer = try mixer.text("layer", default: "Mamba1")
        switch layer {
        case "Mamba1":
            dState = try mixer.size("d_state", default: 16)
            let dtRank = try Self.dtRank(mixer, "dt_rank", dModel)
            family = .mamba1(dtRank: dtRank, normEpsilon: nil)
        case "Mamba2":
            for key in ["rmsnorm"] { try mixer.require(key, true) }
            for key in ["norm_before_gate", "D_has_hdim"] { try mixer.require(key, false) }
            try Self.requireNoLimit(mixer, "dt_limit")
            dState = try mixer.size("d_state", default: 128)
            let headWidth = try mixer.size("headdim", default: 64)
            guard dInner % headWidth == 0 else {
                throw mixer.bad("headdim", "a divisor of \(dInner)", .number(Double(headWidth)))
            }
            family = .mamba2(
                headCount: dInner / headWidth,
                groupCount: try mixer.size("ngroups", default: 1)
            )
        default:
            throw mixer.bad("layer", "'Mamba1' or 'Mamba2'", .string(layer))
        }
    }

    private init(huggingFace settings: ModelSettings) throws(ConversionError) {
        let type = try settings.text("model_type")
        guard try settings.text("hidden_act", default: "silu") == "silu" else {
            throw settings.bad("hidden_act", "'silu'", try settings.value("hidden_act"))
        }
        try settings.require("use_bias", false)
        dModel = try settings.size("hidden_size")
        layerCount = try settings.size("num_hidden_layers")
        dConv = try settings.size("conv_kernel", default: 4)
        hasConvolutionBias = try settings.flag("use_conv_bias", default: true)
        epsilon = try settings.number("layer_norm_epsilon", default: 1e-5)
        embeddingName = "backbone.embeddings.weight"
        rowCount = try settings.sizeIfStated("vocab_size")
        isTied = try settings.flagIfStated("tie_word_embeddings")
        let expanded = try settings.size("expand", times: dModel, default: 2)
        if type == "mamba2" {
            try settings.require("rms_norm", true)
            try Self.requireNoLimit(settings, "time_step_limit")
            dInner = expanded
            dState = try settings.size("state_size", default: 128)
            let headCount = try settings.size("num_heads", default: 128)
            let headWidth = try settings.size("head_dim", default: 64)
            guard headCount * headWidth == dInner else {
                throw settings.bad(
                    "num_heads",
                    "\(dInner) / \(headWidth)",
                    .number(Double(headCount))
                )
            }
            family = .mamba2(
                headCount: headCount,
                groupCount: try settings.size("n_groups", default: 8)
            )
        } else {
            dInner = try settings.size("intermediate_size", default: expanded)
            dState = try settings.size("state_size", default: 16)
            let isFalcon = type == "falcon_mamba"
            family = .mamba1(
                dtRank: try Self.dtRank(settings, "time_step_rank", dModel),
                normEpsilon: isFalcon ? try settings.number("mixer_rms_eps", default: 1e-6) : nil
            )
        }
    }

    /// The rank of dt: a number, or "auto" for a sixteenth of the width, rounded up.
    private static func dtRank(
        _ settings: ModelSettings,
        _ key: String,
        _ dModel: Int
    ) throws(ConversionError) -> Int {
        let automatic = (dModel + 15) / 16
        return settings.json[key]?.string == "auto"
            ? automatic : try settings.size(key, default: automatic)
    }

    /// Refuses a limit of dt other than from 0 to infinity.
    private static func requireNoLimit(
        _ settings: ModelSettings,
        _ key: String
    ) throws(ConversionError) {
        guard settings.has(key) else { return }
        let value = try settings.value(key)
        // Hugging Face writes infinity as a number, or as {"__float__": "Infinity"}.
        let isOpen =
            value.array?.last.map {
                $0.number == .infinity || $0["__float__"]?.string == "Infinity"
            } ?? false
        guard value.array?.count == 2, value.array?.first?.number == 0, isOpen else {
            throw settings.bad(key, "[0, Infinity]", value)
        }
    }
}
