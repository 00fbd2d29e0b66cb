// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// A network of `ConvolutionalLayer`s, one after another, with folded batch norms: a MobileNet, or a FastViT.
///
/// Feature maps are (height * width, channels), so a pointwise convolution needs no rearrangement.
///
/// If it is told where the pictures change, it computes again only the cells that the change reaches, layer
/// by layer, up to the first layer that looks at the whole picture. For that it keeps the maps that are read
/// beyond the change: those before windows, those of shortcuts, and the last.
///
/// - Source: Howard et al. 2017, table 1; Sandler et al. 2018, section 3.3; Vasu et al. 2023 (FastViT).
struct ConvolutionalStem: ~Copyable {
    /// The last feature map.
    let output: FeatureMap

    private let layers: [ConvolutionalLayer]
    /// How many layers there are.
    var layerCount: Int { layers.count }
    private let names: String

    /// Finds the parameters in a file and plans the buffers, layer by layer.
    ///
    /// `change` is where the pixels change between two runs, if that is known.
    ///
    /// - Shapes: pixels (3, imageSize * imageSize), planar; released by the caller.
    init(
        file: borrowing ModelFile,
        configuration: VisionConfiguration,
        pixels: PlannedTensor,
        change: PlannedSpans?,
        threadCount: Int,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let side = configuration.imageSize
        names = configuration.tower.tensors + "cnn."
        let keys = configuration.tower.ownKeys + "cnn."
        let settings = try Self.settings(keys, epsilon: configuration.epsilon, file)
        let shortcuts = try Self.shortcuts(keys, count: settings.count, file)

        var reaches: [ConvolutionalLayer.Reach] = []
        for index in settings.indices {
            reaches.append(
                try ConvolutionalLayer.reach(
                    "\(names)\(index).",
                    settings[index],
                    isFirst: index == 0,
                    file: file
                )
            )
        }
        let partCount =
            change == nil ? 0 : reaches.firstIndex { $0 == .picture } ?? reaches.count

        var layers: [ConvolutionalLayer] = []
        var input = FeatureMap(tensor: pixels, grid: FeatureGrid(height: side, width: side))
        var change = change.map { ConvolutionalLayer.Part.Change(spans: $0, cells: nil) }
        for index in settings.indices {
            let isPart = index < partCount
            let isReadWhole = index + 1 == reaches.count || reaches[index + 1] != .cell
            let layer = try ConvolutionalLayer(
                "\(names)\(index).",
                settings[index],
                input: input,
                isFirst: index == 0,
                reach: reaches[index],
                change: isPart ? change : nil,
                isKept: isPart && (isReadWhole || shortcuts.contains(index)),
                shortcut: shortcuts[index] < 0 ? nil : layers[shortcuts[index]].output,
                threadCount: threadCount,
                file: file,
                planner: &planner
            )
            // A result lives until it is the input, or a shortcut, for the last time.
            for (source, result) in layers.enumerated() {
                if max(source + 1, shortcuts.lastIndex(of: source) ?? 0) == index {
                    result.output.release(from: &planner)
                }
                if source + 1 == index { result.part?.release(from: &planner) }
            }
            planner.advance()
            layers.append(layer)
            input = layer.output
            change = layer.part?.change
        }
        layers.last?.part?.release(from: &planner)
        self.layers = layers
        output = input
    }

    /// Puts the depthwise filters into the order that the kernel reads; called once, at start.
    func prepare(in arena: borrowing Arena) {
        for layer in layers { layer.prepare(in: arena) }
    }

    /// Runs all layers on the pixels, or on what changed of them.
    @_noAllocation @_noLocks
    func run(in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        // By index: an iterator would count references to the array.
        for index in 0..<layers.count {
            beginProfilePart(index + 1)
            layers[index].run(in: arena, on: pool)
        }
        beginProfilePart(0)
    }

    /// As `run`, and shows the result of each layer.
    func trace(
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool,
        show: (String, Tensor) -> Void
    ) {
        for index in 0..<layers.count {
            layers[index].run(in: arena, on: pool)
            show("\(names)\(index)", arena[layers[index].output.tensor])
        }
    }

    /// What the last run took.
    @_noAllocation @_noLocks
    func work(in arena: borrowing Arena) -> ConvolutionWork {
        var work = ConvolutionWork()
        for index in 0..<layers.count { work.add(layers[index].work(in: arena)) }
        return work
    }

    /// What the file says of each layer.
    private static func settings(
        _ keys: String,
        epsilon: Float,
        _ file: borrowing ModelFile
    ) throws(ModelError) -> [ConvolutionalLayer.Settings] {
        let path = file.path
        let (strides, depthwise, activations, padding) = try reading {
            () throws(ModelFileError) in
            (
                try file.ints(keys + "stride"),
                try file.bools(keys + "depthwise"),
                try file.strings(keys + "activation"),
                try file.string(keys + "padding")
            )
        }
        guard !strides.isEmpty, depthwise.count == strides.count,
            activations.count == strides.count
        else {
            throw .unsupported(
                path: path,
                what: "\(keys)stride, .depthwise and .activation must be equally long "
                    + "and not empty"
            )
        }
        guard padding == "tensorflow" || padding == "pytorch" else {
            throw .unsupported(path: path, what: "\(keys)padding is '\(padding)'")
        }
        let heads = try numbers(keys + "heads", default: 0, count: strides.count, file)
        var settings: [ConvolutionalLayer.Settings] = []
        for index in strides.indices {
            guard heads[index] >= 0 else {
                throw .unsupported(path: path, what: "\(keys)heads has \(heads[index])")
            }
            settings.append(
                ConvolutionalLayer.Settings(
                    stride: strides[index],
                    isDepthwise: depthwise[index],
                    headCount: heads[index],
                    activation: try activation(activations[index], path: path),
                    isTensorFlowPadded: padding == "tensorflow",
                    epsilon: epsilon
                )
            )
        }
        return settings
    }

    /// Which earlier layer's result is added to that of each layer, or -1.
    private static func shortcuts(
        _ keys: String,
        count: Int,
        _ file: borrowing ModelFile
    ) throws(ModelError) -> [Int] {
        let shortcuts = try numbers(keys + "shortcut", default: -1, count: count, file)
        guard shortcuts.enumerated().allSatisfy({ -1..<$0.offset ~= $0.element }) else {
            throw .unsupported(
                path: file.path,
                what: "\(keys)shortcut must have an earlier layer, or -1, per layer"
            )
        }
        return shortcuts
    }

    /// A number per layer that a file may leave out.
    private static func numbers(
        _ key: String,
        default fallback: Int,
        count: Int,
        _ file: borrowing ModelFile
    ) throws(ModelError) -> [Int] {
        guard file.contains(key) else { return [Int](repeating: fallback, count: count) }
        let numbers = try reading { () throws(ModelFileError) in try file.ints(key) }
        guard numbers.count == count else {
            throw .unsupported(
                path: file.path,
                what: "\(key) has \(numbers.count) numbers, there are \(count) layers"
            )
        }
        return numbers
    }

    private static func activation(_ name: String, path: String) throws(ModelError) -> Activation {
        switch name {
        case "none": return .none
        case "relu": return .relu
        case "relu6": return .relu6
        case "gelu_erf": return .geluErf
        default:
            throw .unsupported(path: path, what: "ocellus.vision.cnn.activation has '\(name)'")
        }
    }
}
