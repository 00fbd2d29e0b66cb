// SPDX-License-Identifier: Apache-2.0

/// What a session keeps of the frames that it has seen.
///
/// The live state of the decoder has one size whatever it was told, so every policy takes constant
/// memory; they differ in what is in the state when a question forks it. All but `rolling` keep
/// image tokens of past frames in the arena, and fold them again when something must be forgotten.
/// Frames that the change gate skips are in none of them.
public enum StreamMemory: Equatable, Sendable {
    /// Each frame is folded into the state once, for ever; the state forgets by itself, gradually.
    /// The model's metadata says after how many frames (`Model.horizon`).
    case rolling
    /// As `rolling`, but of each frame only the frame token and the image tokens that differ from the
    /// last one folded at their place, by more than `threshold` of their length.
    case changes(threshold: Float)
    /// The state is that of a session which saw exactly the last `frames` frames.
    ///
    /// Costs the folding of as many frames before the first answer after a new frame.
    case window(frames: Int)
    /// The state is that of a session which saw exactly the last n frames, where n goes from
    /// `frames` up to twice as many less one: frames are folded once, and after 2 `frames` the state
    /// is rebuilt from the last `frames`.
    case refresh(frames: Int)
    /// A bank of `frames` frames. When it is full, the two adjacent entries that are most alike
    /// become one, separately for each token of a frame: what changes little shrinks, what changed
    /// is kept, for hours.
    ///
    /// - Source: He et al. 2024 (MA-LMM), section 3.2.
    case bank(frames: Int)
    /// The newest frame whole, and of each older one the frame token and `tokens` means of its image
    /// tokens (1 or 2: all of them, or upper and lower half). Refreshed as `refresh` is, so the last
    /// `frames` are in it, and at most twice as many.
    ///
    /// - Source: Li et al. 2024 (LLaMA-VID), section 3: a context and a content token per frame. The
    ///   context token there attends to the question; here the model's frame token stands for it.
    case pooled(frames: Int, tokens: Int)

    /// The most frames that any policy keeps.
    public static let frameLimit = 1 << 20

    /// The policy for a model that was measured to remember so many frames, if nothing else is wished.
    ///
    /// It is `refresh` with half of them, at most 16: no state is then made of more frames than the
    /// horizon has, beyond which a model mixes old frames into what it says about the newest. For a
    /// model that was not measured it is `rolling`.
    public static func suited(toHorizon horizon: Int?) -> StreamMemory {
        guard let horizon, horizon >= 2 else { return .rolling }
        return .refresh(frames: min(horizon / 2, 16))
    }

    /// Reads `rolling`, `changes:0.1`, `window:8`, `refresh:16`, `bank:32`, `pooled:600` or `pooled:600:2`; nil for
    /// anything else.
    public init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, parts[0] == "changes" {
            guard let threshold = Float(String(parts[1])), 0...2 ~= threshold else { return nil }
            self = .changes(threshold: threshold)
            return
        }
        var numbers: [Int] = []
        for part in parts.dropFirst() {
            guard let number = Int(part), 1...Self.frameLimit ~= number else { return nil }
            numbers.append(number)
        }
        switch (String(parts[0]), numbers.count) {
        case ("rolling", 0): self = .rolling
        case ("window", 1): self = .window(frames: numbers[0])
        case ("refresh", 1): self = .refresh(frames: numbers[0])
        case ("bank", 1): self = .bank(frames: numbers[0])
        case ("pooled", 1): self = .pooled(frames: numbers[0], tokens: 1)
        case ("pooled", 2) where numbers[1] <= 2:
            self = .pooled(frames: numbers[0], tokens: numbers[1])
        default: return nil
        }
    }

    /// As the user writes it.
    public var description: String {
        switch self {
        case .rolling: "rolling"
        case .changes(let threshold): "changes:\(shortDecimal(threshold))"
        case .window(let frames): "window:\(frames)"
        case .refresh(let frames): "refresh:\(frames)"
        case .bank(let frames): "bank:\(frames)"
        case .pooled(let frames, 1): "pooled:\(frames)"
        case .pooled(let frames, let tokens): "pooled:\(frames):\(tokens)"
        }
    }

    /// The number that stands for the policy in a saved state; sizes and thresholds are not part of it.
    var code: UInt64 {
        switch self {
        case .rolling: 0
        case .changes: 1
        case .window: 2
        case .refresh: 3
        case .bank: 4
        case .pooled: 5
        }
    }
}

/// A number from 0 to 2 with up to three digits behind the point.
private func shortDecimal(_ value: Float) -> String {
    let thousandths = Int((value * 1000).rounded())
    var digits = String(1000 + thousandths % 1000).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return digits.isEmpty ? "\(thousandths / 1000)" : "\(thousandths / 1000).\(digits)"
}
