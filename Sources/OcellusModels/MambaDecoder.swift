// SPDX-License-Identifier: Apache-2.0
public import OcellusFormat
public import OcellusKernels
public import OcellusMemory

/// A Mamba language model: embedding, layers of `hidden += mixer(rmsNorm(hidden))`, norm, head.
///
/// The residual stream and all states are `Float`, whatever the type of the weights. Everything it
/// computes with lies in the arena whose planner it was made with.
public struct MambaDecoder: ~Copyable {
    /// The sizes.
    public let configuration: MambaConfiguration
    /// Where the parts of a state lie.
    public let stateLayout: DecoderState.Layout
    /// The most tokens of one run through the layers; longer prefills run chunk by chunk, exactly.
    public let chunkLength: Int
    /// The most drafted tokens that one run reads behind a token: `StateTrail` needs as many states.
    public let draftLength: Int

    /// The most that `draftLength` can be.
    ///
    /// The matrix products of up to three tokens sum in the order of a single step's, with every type
    /// of weights and every instruction set. Longer runs round differently: a draft would change an
    /// answer.
    public static let draftLimit = 2

    private enum Mixer: ~Copyable {
        case mamba1(Mamba1Mixer)
        case mamba2(Mamba2Mixer)
    }

    private let embedding: WeightMatrix  // (vocabularySize, dModel)
    private let norms: [WeightVector]
    private let mixer: Mixer
    private let finalNorm: WeightVector
    private let head: WeightMatrix  // (vocabularySize, dModel)
    private let hidden: PlannedTensor
    private let normed: PlannedTensor
    private let logits: PlannedTensor
    private let scratch: PlannedBytes

    /// Finds the parameters in a file and plans the buffers of a run.
    ///
    /// - Throws: `ModelError` if the file lacks something, or describes something else.
    public init(
        file: borrowing ModelFile,
        chunkLength: Int,
        draftLength: Int = 0,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        precondition(chunkLength > 0 && 0...Self.draftLimit ~= draftLength)
        let draftLength = min(draftLength, chunkLength - 1)
        let c = try MambaConfiguration(file: file)
        var norms: [WeightVector] = []
        for layer in 0..<c.layerCount {
            norms.append(
                try reading { () throws(ModelFileError) in
                    try file.vector("blk.\(layer).attn_norm.weight", count: c.dModel)
                }
            )
        }
        let embedding = try reading { () throws(ModelFileError) in
            try file.matrix("token_embd.weight", rows: c.vocabularySize, columns: c.dModel)
        }
        let finalNorm = try reading { () throws(ModelFileError) in
            try file.vector("output_norm.weight", count: c.dModel)
        }
        // Without a head of its own, a model shares the embedding's weights.
        var head = embedding
        if file.hasTensor("output.weight") {
            head = try reading { () throws(ModelFileError) in
                try file.matrix("output.weight", rows: c.vocabularySize, columns: c.dModel)
            }
        }

        let hidden = planner.tensor(
            "decoder.hidden",
            rows: chunkLength,
            columns: c.dModel,
            in: .scratch
        )
        let scratch = planner.bytes(
            "decoder.quantised",
            count: matMulScratchByteCount(
                tokens: chunkLength,
                columns: max(c.dInner, c.dModel)
            ),
            in: .scratch
        )
        planner.advance()
        let normed = planner.tensor(
            "decoder.normed",
            rows: chunkLength,
            columns: c.dModel,
            in: .scratch
        )
        planner.advance()
        let mixer: Mixer
        switch c.family {
        case .mamba1(let dtRank, let normEpsilon):
            mixer = .mamba1(
                try Mamba1Mixer(
                    file: file,
                    configuration: c,
                    dtRank: dtRank,
                    normEpsilon: normEpsilon,
                    chunkLength: chunkLength,
                    scratch: scratch,
                    planner: &planner
                )
            )
        case .mamba2(let headCount, let groupCount):
            mixer = .mamba2(
                try Mamba2Mixer(
                    file: file,
                    configuration: c,
                    headCount: headCount,
                    groupCount: groupCount,
                    chunkLength: chunkLength,
                    scratch: scratch,
                    planner: &planner
                )
            )
        }
        let logits = planner.tensor(
            "decoder.logits",
            rows: 1 + draftLength,
            columns: c.vocabularySize,
            in: .scratch
        )

        self.hidden = hidden
        self.scratch = scratch
        self.normed = normed
        self.logits = logits
        configuration = c
        stateLayout = DecoderState.Layout(c)
        self.chunkLength = chunkLength
        self.draftLength = draftLength
        self.mixer = mixer
        self.embedding = embedding
        self.norms = norms
        self.finalNorm = finalNorm
        self.head = head
    }

    /// Folds tokens into a state, and returns the hidden row of the last one, (1, dModel).
    ///
    /// The row is valid until the next run. Tokens must be inside the vocabulary.
    @_noAllocation @_noLocks
    public func prefill(
        _ tokens: [Int],
        state: DecoderState,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) -> Tensor {
        let hidden = arena[self.hidden]
        var last = hidden.rows(0..<1)
        var start = 0
        while start < tokens.count {
            let count = min(chunkLength, tokens.count - start)
            for row in 0..<count {
                embed(tokens[start + row], into: hidden.rows(row..<row + 1))
            }
            last = runLayers(tokenCount: count, state: state, in: arena, on: pool)
            start += count
        }
        return last
    }

    /// Folds image tokens into a state, and returns the hidden row of the last one, (1, dModel).
    ///
    /// - Shapes: embeddings (tokens, dModel), any count of tokens.
    @_noAllocation @_noLocks
    public func prefill(
        embeddings: Tensor,
        state: DecoderState,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) -> Tensor {
        let hidden = arena[self.hidden]
        var last = hidden.rows(0..<1)
        var start = 0
        while start < embeddings.rows {
            let count = min(chunkLength, embeddings.rows - start)
            hidden.prefix(rows: count).copy(from: embeddings.rows(start..<start + count))
            last = runLayers(tokenCount: count, state: state, in: arena, on: pool)
            start += count
        }
        return last
    }

    /// Folds one token into a state, and returns its hidden row, (1, dModel).
    @_noAllocation @_noLocks
    public func step(
        _ token: Int,
        state: DecoderState,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) -> Tensor {
        embed(token, into: arena[hidden].rows(0..<1))
        return runLayers(tokenCount: 1, state: state, in: arena, on: pool)
    }

    /// Folds a token and the draft of those behind it into a state, in one run, and returns the hidden
    /// rows of all, (1 + draft.count, dModel): those of as many steps, bit by bit.
    ///
    /// The trail gets the states between the tokens, to go back to.
    @_noAllocation @_noLocks
    public func step(
        _ token: Int,
        draft: [Int],
        state: DecoderState,
        trail: StateTrail,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) -> Tensor {
        let count = draft.count
        precondition(count <= draftLength, "more drafted tokens than planned")
        let hidden = arena[self.hidden].prefix(rows: 1 + count)
        embed(token, into: hidden.rows(0..<1))
        for index in 0..<count {
            embed(draft[index], into: hidden.rows(index + 1..<index + 2))
        }
        _ = runLayers(
            tokenCount: hidden.rows,
            state: state,
            trail: trail,
            in: arena,
            on: pool
        )
        return hidden
    }

    /// The unnormalised log probabilities of the tokens after one or, behind a draft, after several,
    /// (rows, vocabularySize).
    ///
    /// The logits are valid until the next run.
    @_noAllocation @_noLocks
    public func logits(
        of hidden: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) -> Tensor {
        let normed = arena[self.normed].prefix(rows: hidden.rows)
        let logits = arena[self.logits].prefix(rows: hidden.rows)
        rmsNorm(
            hidden,
            weight: finalNorm,
            epsilon: configuration.epsilon,
            into: normed,
            on: pool
        )
        matMul(head, normed, into: logits, scratch: arena[scratch], on: pool)
        return logits
    }

    /// The hidden row of a token of the last chunk that ran, (1, dModel): for traces, which look at
    /// more than the last one.
    package func hiddenRow(_ row: Int, in arena: borrowing Arena) -> Tensor {
        arena[hidden].rows(row..<row + 1)
    }

    @_noAllocation @_noLocks
    private func embed(_ token: Int, into row: Tensor) {
        precondition(token >= 0 && token < configuration.vocabularySize, "no such token")
        dequantizeRow(embedding, row: token, into: row)
    }

    @_noAllocation @_noLocks
    private func runLayers(
        tokenCount: Int,
        state: DecoderState,
        trail: StateTrail? = nil,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) -> Tensor {
        let hidden = arena[self.hidden].prefix(rows: tokenCount)
        let normed = arena[self.normed].prefix(rows: tokenCount)
        for layer in 0..<configuration.layerCount {
            beginProfilePart(layer + 1)
            rmsNorm(
                hidden,
                weight: norms[layer],
                epsilon: configuration.epsilon,
                into: normed,
                on: pool
            )
            switch mixer {
            case .mamba1(let mixer):
                mixer.run(
                    layer: layer,
                    normed: normed,
                    addingTo: hidden,
                    state: state,
                    trail: trail,
                    in: arena,
                    on: pool
                )
            case .mamba2(let mixer):
                mixer.run(
                    layer: layer,
                    normed: normed,
                    addingTo: hidden,
                    state: state,
                    trail: trail,
                    in: arena,
                    on: pool
                )
            }
        }
        beginProfilePart(0)
        return hidden.rows(tokenCount - 1..<tokenCount)
    }
}

/// Refuses a matrix that the kernels cannot read as `Float` where it lies, or with no numbers in it.
func requireF32(
    _ matrix: WeightMatrix,
    _ name: String,
    _ file: borrowing ModelFile
) throws(ModelError) {
    guard matrix.type == .f32 else {
        throw .unsupported(
            path: file.path,
            what: "\(name) is \(matrix.type.name); recurrences need F32"
        )
    }
    for index in 0..<matrix.rows * matrix.columns {
        // Safety: the matrix has that many elements.
        let element = unsafe matrix.base.load(fromByteOffset: 4 * index, as: Float.self)
        guard element.isFinite else {
            throw .file(.notFinite(path: file.path, name: name, index: index))
        }
    }
}
