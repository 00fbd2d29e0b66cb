// SPDX-License-Identifier: Apache-2.0
import CLibc
public import OcellusFormat
public import OcellusMemory
public import OcellusModels
public import OcellusTokenizer

/// A model's files, opened and checked, and the exact plan of the memory that a session with it
/// takes.
///
/// Of the weights, nothing has been read yet.
///
///     let model = try Model(path: "models/ommatidium", options: SessionOptions())
///     print(model.plan.requiredBytes)
///     var session = try Session(model)
public struct Model: ~Copyable {
    /// Where the model was opened: a folder or a decoder file.
    public let path: String
    /// The settings that the plan was made for.
    public let options: SessionOptions
    /// The decoder's file.
    public let decoderFile: ModelFile
    /// The file of the vision encoder and the projector, if the model can see.
    public let visionFile: ModelFile?
    /// The parts that look at pictures, if the model can see.
    public let vision: Vision?
    /// The language model.
    public let decoder: MambaDecoder
    /// Text to tokens and back.
    public let tokenizer: Tokenizer
    /// The tokens that have text.
    public let vocabulary: Vocabulary
    /// What surrounds a question; `.none` continues texts instead.
    public var promptTemplate: PromptTemplate
    /// Where each buffer of a session lies.
    public let plan: MemoryPlan

    /// After how many frames a rolling state has forgotten what it saw, as measured with this model; nil
    /// if its file does not say.
    public let horizon: Int?
    /// What a session keeps of past frames: what the options say, or what suits the horizon
    /// (`StreamMemory.suited`).
    public let streamMemory: StreamMemory

    let states: SessionStates
    let memory: FrameMemory
    let sampler: Sampler

    /// Opens a model: a folder with `decoder.gguf` and, if it can see, `vision.gguf`; or a decoder
    /// file alone.
    ///
    /// - Throws: `OcellusError.model` for files that are missing, damaged or not supported,
    ///   `.tokenizer` for a bad vocabulary, `.mixedFiles` for files of two models, `.memory` for a
    ///   plan that cannot be.
    public init(path: String, options: SessionOptions) throws(OcellusError) {
        let isFolder = Self.isFolder(path)
        let decoderFile = try Self.open(isFolder ? path + "/decoder.gguf" : path)
        var planner = MemoryPlanner()

        var visionFile: ModelFile?
        var vision: Vision?
        let visionPath = path + "/vision.gguf"
        if isFolder, unsafe access(visionPath, F_OK) == 0 {
            let file = try Self.open(visionPath)
            try Self.requireOneModel(decoderFile, file)
            vision = try Vision(file: file, options: options, planner: &planner)
            visionFile = consume file
        }
        let decoder = try fromModels { () throws(ModelError) in
            try MambaDecoder(
                file: decoderFile,
                chunkLength: options.chunkLength,
                draftLength: min(max(options.draftLength, 0), MambaDecoder.draftLimit),
                planner: &planner
            )
        }
        let states = SessionStates(decoder: decoder, planner: &planner)
        let measured = try fromFile { () throws(ModelFileError) in
            try decoderFile.int("ocellus.horizon.frames", default: 0)
        }
        let horizon = measured > 0 ? measured : nil
        let streamMemory = options.memory ?? .suited(toHorizon: horizon)
        var memory = FrameMemory.rolling
        if let vision {
            let (imageWidth, width) = (vision.projector.dModel, decoder.configuration.dModel)
            guard imageWidth == width else {
                throw .mixedFiles(
                    decoder: decoderFile.path,
                    vision: visionPath,
                    what: "image tokens are \(imageWidth) wide, the decoder is \(width)"
                )
            }
            memory = FrameMemory(
                streamMemory,
                projector: vision.projector,
                stateCount: decoder.stateLayout.count,
                planner: &planner
            )
        }
        let sampler = Sampler(
            vocabularySize: decoder.configuration.vocabularySize,
            planner: &planner
        )
        let plan: MemoryPlan
        do {
            plan = try planner.plan()
        } catch {
            throw .memory(error)
        }
        let vocabulary = try Vocabulary(file: decoderFile)
        guard vocabulary.count <= decoder.configuration.vocabularySize else {
            throw .model(
                .mismatch(
                    path: decoderFile.path,
                    what: "the count of tokens, at most one per row of "
                        + "token_embd.weight,",
                    expected: decoder.configuration.vocabularySize,
                    found: vocabulary.count
                )
            )
        }

        promptTemplate = try PromptTemplate(file: decoderFile)
        self.vocabulary = vocabulary
        tokenizer = Tokenizer(vocabulary: vocabulary)
        self.states = states
        self.memory = memory
        self.horizon = horizon
        self.streamMemory = streamMemory
        self.sampler = sampler
        self.plan = plan
        self.path = path
        self.options = options
        self.decoderFile = decoderFile
        self.visionFile = visionFile
        self.vision = vision
        self.decoder = decoder
    }

    /// The width and height in pixels at which the model looks at a picture; nil without vision.
    public var pictureSide: Int? {
        vision?.encoder.configuration.imageSize
    }

    /// The size of the files' weights and metadata in bytes, mapped read-only.
    public var mappedBytes: Int {
        var sum = decoderFile.byteCount
        switch visionFile {
        case .some(let file): sum += file.byteCount
        case .none: break
        }
        return sum
    }

    /// The weights of all files by type, in the order in which the types come.
    public var weightTotals: [WeightTotal] {
        var totals: [WeightTotal] = []
        WeightTotal.add(decoderFile, to: &totals)
        switch visionFile {
        case .some(let file): WeightTotal.add(file, to: &totals)
        case .none: break
        }
        return totals
    }

    /// The bytes of the arena that `streamMemory` takes for past frames.
    public var memoryByteCount: Int {
        var sum = 0
        for tensor in memory.tensors {
            sum += tensor.rows * tensor.columns * MemoryLayout<Float>.stride
        }
        return sum
    }

    /// What tells this model from all others, for saved states.
    var checksum: UInt64 {
        var sum = decoderFile.checksum
        switch visionFile {
        case .some(let file): sum = sum &* 31 &+ file.checksum
        case .none: break
        }
        return sum
    }

    private static func open(_ path: String) throws(OcellusError) -> ModelFile {
        try fromFile { () throws(ModelFileError) in try ModelFile(path: path) }
    }

    /// Refuses a decoder and a vision file that name different models.
    private static func requireOneModel(
        _ decoder: borrowing ModelFile,
        _ vision: borrowing ModelFile
    ) throws(OcellusError) {
        let key = "ocellus.model.id"
        guard decoder.contains(key), vision.contains(key) else { return }
        let (first, second) = try fromFile { () throws(ModelFileError) in
            (try decoder.string(key), try vision.string(key))
        }
        guard first == second else {
            throw .mixedFiles(
                decoder: decoder.path,
                vision: vision.path,
                what: "one is of '\(first)', the other of '\(second)'"
            )
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && clibc_is_folder(status.st_mode) != 0
    }
}

/// Runs a look-up in a model file and passes its error on as an `OcellusError`.
func fromFile<Value: ~Copyable>(
    _ body: () throws(ModelFileError) -> Value
) throws(OcellusError) -> Value {
    do {
        return try body()
    } catch {
        throw .model(.file(error))
    }
}

/// Makes a part of a model and passes its error on as an `OcellusError`.
func fromModels<Value: ~Copyable>(
    _ body: () throws(ModelError) -> Value
) throws(OcellusError) -> Value {
    do {
        return try body()
    } catch {
        throw .model(error)
    }
}
