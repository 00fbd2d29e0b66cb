// SPDX-License-Identifier: Apache-2.0
public import OcellusFormat
public import OcellusKernels
public import OcellusMemory

/// Features of the vision encoder to image tokens of the decoder.
///
///     f = W2 gelu(W1 x + b1) + b2          each cell of the grid by itself
///     t = downsample(f)                    LDPv2 only
///
/// Options of the model file: `x` is a feature joined with its change since the last frame
/// (`TemporalDifference`); learned positions are added to the image tokens; a token about the whole
/// frame comes before them (`FrameToken`).
///
/// - Source: Chu et al. 2024 (MobileVLM V2), section 3.3; Liu et al. 2023 (LLaVA 1.5) for the MLP.
public struct Projector {
    /// The count of tokens of one frame, the frame token included.
    public let tokenCount: Int
    /// How many of them, the first ones, are about the whole frame.
    public var frameTokenCount: Int { frameToken == nil ? 0 : 1 }
    /// The width of a token.
    public let dModel: Int

    /// Whether the tokens of a frame tell how it differs from the one before.
    public let comparesFrames: Bool

    private let first: Linear
    private let second: Linear
    private let difference: TemporalDifference?
    private let downsample: LDPDownsample?
    private let positionWeight: WeightMatrix?
    private let positions: PlannedTensor?
    private let frameToken: FrameToken?
    private let inner: PlannedTensor  // (cells, inner width)
    private let mapped: PlannedTensor  // (cells, dModel)
    private let tokens: PlannedTensor  // (tokenCount, dModel)
    private let scratch: PlannedBytes

    /// Finds the parameters in a file and plans the buffers of a run.
    ///
    /// - Shapes: pixels (3, imageSize * imageSize), the pixels that the encoder reads.
    /// - Throws: `ModelError` if the file lacks something, or describes something else.
    public init(
        file: borrowing ModelFile,
        encoder: borrowing VisionEncoder,
        pixels: PlannedTensor,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let kind = try reading { () throws(ModelFileError) in
            try file.string("clip.projector_type")
        }
        let names: (first: String, second: String)
        switch kind {
        case "ldpv2": names = ("mm.model.mlp.0", "mm.model.mlp.2")
        case "mlp": names = ("mm.0", "mm.2")
        default:
            throw .unsupported(
                path: file.path,
                what: "projector '\(kind)'; this version runs ldpv2 and mlp"
            )
        }
        func hasOption(_ key: String) throws(ModelError) -> Bool {
            try reading { () throws(ModelFileError) in
                try file.bool("ocellus.projector.\(key)", default: false)
            }
        }
        let cellCount = encoder.grid.cellCount
        let innerWidth = try Self.outputCount(names.first, file)
        dModel = try Self.outputCount(names.second, file)

        difference =
            try hasOption("temporal_difference")
            ? TemporalDifference(
                cellCount: cellCount,
                dVision: encoder.dVision,
                planner: &planner
            ) : nil
        comparesFrames = difference != nil
        let inputs = encoder.dVision * (comparesFrames ? 2 : 1)
        first = try Linear(names.first, outputs: innerWidth, inputs: inputs, file: file)
        second = try Linear(names.second, outputs: dModel, inputs: innerWidth, file: file)
        planner.advance()

        scratch = planner.bytes(
            "mm.quantised",
            count: matMulScratchByteCount(tokens: cellCount, columns: max(inputs, innerWidth)),
            in: .scratch
        )
        inner = planner.tensor("mm.inner", rows: cellCount, columns: innerWidth, in: .scratch)
        difference?.releaseJoined(from: &planner)
        planner.advance()
        mapped = planner.tensor("mm.mapped", rows: cellCount, columns: dModel, in: .scratch)
        planner.release(inner)
        planner.release(scratch)
        planner.advance()

        downsample =
            kind == "ldpv2"
            ? try LDPDownsample(file: file, grid: encoder.grid, dModel: dModel, planner: &planner)
            : nil
        let imageTokenCount = downsample?.tokenCount ?? cellCount
        let hasFrameToken = try hasOption("frame_token")
        tokenCount = imageTokenCount + (hasFrameToken ? 1 : 0)
        tokens = planner.tensor("mm.tokens", rows: tokenCount, columns: dModel, in: .scratch)
        planner.release(mapped)
        planner.advance()
        downsample?.releasePooled(from: &planner)

        if try hasOption("positions") {
            let name = "mm.model.position_embd.weight"
            let width = dModel
            positionWeight = try reading { () throws(ModelFileError) in
                try file.matrix(name, rows: imageTokenCount, columns: width)
            }
            positions = planner.tensor(name, rows: imageTokenCount, columns: dModel, in: .state)
        } else {
            positionWeight = nil
            positions = nil
        }
        frameToken =
            hasFrameToken
            ? try FrameToken(
                file: file,
                dVision: encoder.dVision,
                dModel: dModel,
                hasColor: try hasOption("frame_color"),
                pixels: pixels,
                planner: &planner
            ) : nil
        planner.advance()
        encoder.releaseOutput(from: &planner)
    }

    /// Brings parameters into the form that the kernels read; called once, at start.
    public func prepare(in arena: borrowing Arena) {
        downsample?.prepare(in: arena)
        if let positionWeight, let positions { dequantize(positionWeight, into: arena[positions]) }
    }

    /// Forgets the last frame, so that the next one has no change.
    public func reset(in arena: borrowing Arena) {
        difference?.reset(in: arena)
    }

    /// The part of the session's state that belongs to the projector: the last frame's features.
    public var stateTensor: PlannedTensor? { difference?.previous }

    /// Projects the features of a frame to tokens, (tokenCount, dModel), valid until the next run.
    ///
    /// - Shapes: features (cells, dVision), of `VisionEncoder.encode`.
    @_noAllocation @_noLocks
    public func project(
        _ features: Tensor,
        isFirstFrame: Bool,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) -> Tensor {
        let (inner, mapped, tokens) = (arena[self.inner], arena[self.mapped], arena[self.tokens])
        let scratch = arena[self.scratch]
        var input = features
        if let difference {
            input = difference.join(features, isFirstFrame: isFirstFrame, in: arena)
        }
        matMul(first.weight, input, bias: first.bias, into: inner, scratch: scratch, on: pool)
        activate(inner, .geluErf, on: pool)
        matMul(second.weight, inner, bias: second.bias, into: mapped, scratch: scratch, on: pool)

        let imageTokens = tokens.rows(frameTokenCount..<tokenCount)
        if let downsample {
            downsample.run(mapped, into: imageTokens, in: arena, on: pool)
        } else {
            imageTokens.copy(from: mapped)
        }
        if let positions { add(arena[positions], into: imageTokens, on: pool) }
        if let frameToken {
            frameToken.run(features, into: tokens.rows(0..<1), in: arena, on: pool)
        }
        return tokens
    }

    /// The count of outputs of a layer whose width no key of the file states.
    private static func outputCount(
        _ name: String,
        _ file: borrowing ModelFile
    ) throws(ModelError) -> Int {
        let shape = try reading { () throws(ModelFileError) in
            try file.shape(of: name + ".weight")
        }
        guard shape.count == 2, shape[1] > 0, shape[1] <= 1 << 20 else {
            throw .unsupported(path: file.path, what: "\(name).weight is not a matrix of weights")
        }
        return shape[1]
    }
}
