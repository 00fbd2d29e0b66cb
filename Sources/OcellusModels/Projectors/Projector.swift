// SPDX-License-Identifier: Apache-2.0
public import OcellusFormat
public import OcellusKernels
public import OcellusMemory

/// Features of the vision encoder to image tokens of the decoder.
///
/// The network is one of `ProjectorNetwork`. Options of the model file: what it projects is a feature
/// joined with its change since the last frame (`TemporalDifference`); learned positions are added to the
/// image tokens; a token about the whole frame comes before them (`FrameToken`).
public struct Projector: ~Copyable {
    /// The count of tokens of one frame, the frame token included.
    public let tokenCount: Int
    /// How many of them, the first ones, are about the whole frame.
    public var frameTokenCount: Int { frameToken == nil ? 0 : 1 }
    /// The width of a token.
    public let dModel: Int

    /// Whether the tokens of a frame tell how it differs from the one before.
    public let comparesFrames: Bool

    private let network: ProjectorNetwork
    private let difference: TemporalDifference?
    private let positionWeight: WeightMatrix?
    private let positions: PlannedTensor?
    private let frameToken: FrameToken?
    private let tokens: PlannedTensor  // (tokenCount, dModel)

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
        func hasOption(_ key: String) throws(ModelError) -> Bool {
            try reading { () throws(ModelFileError) in
                try file.bool("ocellus.projector.\(key)", default: false)
            }
        }
        let difference =
            try hasOption("temporal_difference")
            ? TemporalDifference(
                cellCount: encoder.grid.cellCount,
                dVision: encoder.dVision,
                planner: &planner
            ) : nil
        planner.advance()
        let hasFrameToken = try hasOption("frame_token")
        let network = try ProjectorNetwork(
            file: file,
            input: ProjectorInput(
                grid: encoder.grid,
                width: encoder.dVision * (difference == nil ? 1 : 2),
                owned: difference?.joined,
                rowsBefore: hasFrameToken ? 1 : 0
            ),
            planner: &planner
        )
        let tokens = network.tokens
        let imageTokenCount = tokens.rows - (hasFrameToken ? 1 : 0)

        var positionWeight: WeightMatrix?
        var positions: PlannedTensor?
        if try hasOption("positions") {
            let name = "mm.model.position_embd.weight"
            positionWeight = try reading { () throws(ModelFileError) in
                try file.matrix(name, rows: imageTokenCount, columns: tokens.columns)
            }
            positions = planner.tensor(
                name,
                rows: imageTokenCount,
                columns: tokens.columns,
                in: .state
            )
        }
        let frameToken =
            hasFrameToken
            ? try FrameToken(
                file: file,
                dVision: encoder.dVision,
                dModel: tokens.columns,
                hasColor: try hasOption("frame_color"),
                pixels: pixels,
                planner: &planner
            ) : nil
        planner.advance()
        encoder.releaseOutput(from: &planner)
        tokenCount = tokens.rows
        dModel = tokens.columns
        comparesFrames = difference != nil
        self.tokens = tokens
        self.difference = difference
        self.network = network
        self.positionWeight = positionWeight
        self.positions = positions
        self.frameToken = frameToken
    }

    /// Brings parameters into the form that the kernels read; called once, at start.
    public func prepare(in arena: borrowing Arena) {
        network.prepare(in: arena)
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
        let tokens = arena[self.tokens]
        var input = features
        if let difference {
            input = difference.join(features, isFirstFrame: isFirstFrame, in: arena)
        }
        network.run(input, in: arena, on: pool)
        if let positions {
            add(arena[positions], into: tokens.rows(frameTokenCount..<tokenCount), on: pool)
        }
        if let frameToken {
            frameToken.run(features, into: tokens.rows(0..<1), in: arena, on: pool)
        }
        return tokens
    }
}
