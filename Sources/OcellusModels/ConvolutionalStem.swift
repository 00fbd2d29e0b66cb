// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// A MobileNet-style network: a sequence of convolutions with folded batch norms.
///
/// Each layer is a full convolution, a depthwise one, or a pointwise one (a matrix product), then
/// a bias and an activation. The result of an earlier layer may be added to it (MobileNetV2). Feature maps
/// are (height * width, channels), so a pointwise convolution needs no rearrangement.
///
/// - Source: Howard et al. 2017, table 1; Sandler et al. 2018, section 3.3.
struct ConvolutionalStem: ~Copyable {
    private enum Operation {
        /// Patches of the input, then a matrix product.
        case full(weight: WeightMatrix, patches: PlannedTensor, isPlanar: Bool)
        /// One filter per channel; `prepared` holds the weights as (k * k, channels).
        case depthwise(weight: WeightMatrix, prepared: PlannedTensor)
        /// A matrix product over the channels of each pixel.
        case pointwise(weight: WeightMatrix)
    }

    private struct Layer {
        let operation: Operation
        let bias: WeightVector
        let activation: Activation
        let geometry: ConvolutionGeometry
        let input: PlannedTensor
        /// What is added to the result: that of an earlier layer.
        let shortcut: PlannedTensor?
        let output: PlannedTensor
        let scratch: PlannedBytes
    }

    /// The last feature map.
    let output: FeatureMap

    private let layers: [Layer]
    private let names: String

    /// Finds the parameters in a file and plans the buffers, layer by layer.
    ///
    /// - Shapes: pixels (3, imageSize * imageSize), planar; released by the caller.
    init(
        file: borrowing ModelFile,
        configuration: VisionConfiguration,
        pixels: PlannedTensor,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let path = file.path
        let imageSize = configuration.imageSize
        let names = configuration.tower.tensors + "cnn."
        let keys = configuration.tower.ownKeys + "cnn."
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

        let shortcuts = try reading { () throws(ModelFileError) in
            file.contains(keys + "shortcut")
                ? try file.ints(keys + "shortcut") : [Int](repeating: -1, count: strides.count)
        }
        guard shortcuts.count == strides.count,
            shortcuts.enumerated().allSatisfy({ -1..<$0.offset ~= $0.element })
        else {
            throw .unsupported(
                path: path,
                what: "\(keys)shortcut must have an earlier layer, or -1, per layer"
            )
        }

        var layers: [Layer] = []
        var input = pixels
        var (height, width, channels) = (imageSize, imageSize, 3)
        for index in strides.indices {
            let name = "\(names)\(index)."
            let shape = try reading { () throws(ModelFileError) in
                try file.shape(of: name + "weight")
            }
            let kernel = try Self.kernel(shape, name: name + "weight", path: path)
            guard strides[index] >= 1, strides[index] <= 16 else {
                throw .unsupported(path: path, what: "the stride of \(name) is \(strides[index])")
            }
            let geometry =
                padding == "tensorflow"
                ? ConvolutionGeometry.tensorFlowSame(
                    height: height,
                    width: width,
                    kernel: kernel,
                    stride: strides[index]
                )
                : ConvolutionGeometry.pytorch(
                    height: height,
                    width: width,
                    kernel: kernel,
                    stride: strides[index],
                    padding: kernel / 2
                )
            let pixelCount = geometry.outputHeight * geometry.outputWidth
            // ne0 is the fastest dimension, so the last one counts the outputs.
            let outputs = depthwise[index] ? channels : shape.last ?? 0
            guard outputs > 0, outputs <= 1 << 16 else {
                throw .unsupported(path: path, what: "\(name)weight has \(outputs) outputs")
            }
            let bias = try reading { () throws(ModelFileError) in
                try file.vector(name + "bias", count: outputs)
            }
            let columns = depthwise[index] ? kernel * kernel : channels * kernel * kernel
            let weight = try reading { () throws(ModelFileError) in
                try file.matrix(name + "weight", rows: outputs, columns: columns)
            }

            let operation: Operation
            if depthwise[index] {
                guard index > 0 else {
                    throw .unsupported(path: path, what: "the first convolution is depthwise")
                }
                let prepared = planner.tensor(
                    name + "weight",
                    rows: kernel * kernel,
                    columns: channels,
                    in: .state
                )
                operation = .depthwise(weight: weight, prepared: prepared)
            } else if kernel == 1, strides[index] == 1, index > 0 {
                operation = .pointwise(weight: weight)
            } else {
                let patches = planner.tensor(
                    name + "patches",
                    rows: pixelCount,
                    columns: columns,
                    in: .scratch
                )
                planner.advance()
                operation = .full(weight: weight, patches: patches, isPlanar: index == 0)
            }
            let scratch = planner.bytes(
                name + "quantised",
                count: depthwise[index]
                    ? 0 : matMulScratchByteCount(tokens: pixelCount, columns: columns),
                in: .scratch
            )
            let output = planner.tensor(
                name + "output",
                rows: pixelCount,
                columns: outputs,
                in: .scratch
            )
            let shortcut = shortcuts[index] < 0 ? nil : layers[shortcuts[index]].output
            guard shortcut.map({ $0.rows == pixelCount && $0.columns == outputs }) ?? true else {
                throw .unsupported(path: path, what: "the shortcut to \(name) has another size")
            }
            layers.append(
                Layer(
                    operation: operation,
                    bias: bias,
                    activation: try Self.activation(activations[index], path: path),
                    geometry: geometry,
                    input: input,
                    shortcut: shortcut,
                    output: output,
                    scratch: scratch
                )
            )
            planner.release(scratch)
            if case .full(_, let patches, _) = operation { planner.release(patches) }
            // A result lives until it is the input, or a shortcut, for the last time.
            for (source, result) in layers.enumerated()
            where max(source + 1, shortcuts.lastIndex(of: source) ?? 0) == index {
                planner.release(result.output)
            }
            planner.advance()
            input = output
            (height, width, channels) = (geometry.outputHeight, geometry.outputWidth, outputs)
        }
        self.layers = layers
        self.names = names
        output = FeatureMap(tensor: input, grid: FeatureGrid(height: height, width: width))
    }

    /// Puts the depthwise filters into the order that the kernel reads; called once, at start.
    func prepare(in arena: borrowing Arena) {
        for layer in layers {
            if case .depthwise(let weight, let prepared) = layer.operation {
                prepareDepthwise(weight, into: arena[prepared])
            }
        }
    }

    /// Runs all layers on the pixels.
    @_noAllocation @_noLocks
    func run(in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        // By index: an iterator would count references to the array.
        for index in 0..<layers.count { run(index, in: arena, on: pool) }
    }

    /// As `run`, and shows the result of each layer.
    func trace(
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool,
        show: (String, Tensor) -> Void
    ) {
        for index in 0..<layers.count {
            run(index, in: arena, on: pool)
            show("\(names)\(index)", arena[layers[index].output])
        }
    }

    @_noAllocation @_noLocks
    private func run(_ index: Int, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let layer = layers[index]
        let scratch = arena[layer.scratch]
        let input = arena[layer.input]
        let output = arena[layer.output]
        switch layer.operation {
        case .full(let weight, let patches, let isPlanar):
            let patches = arena[patches]
            if isPlanar {
                patchesFromPlanar(
                    input,
                    channels: input.rows,
                    geometry: layer.geometry,
                    into: patches,
                    on: pool
                )
            } else {
                patchesFromInterleaved(
                    input,
                    geometry: layer.geometry,
                    into: patches,
                    on: pool
                )
            }
            matMul(
                weight,
                patches,
                bias: layer.bias,
                into: output,
                scratch: scratch,
                on: pool
            )
            activate(output, layer.activation, on: pool)
        case .depthwise(_, let prepared):
            depthwiseConv2D(
                input,
                weight: arena[prepared],
                bias: layer.bias,
                geometry: layer.geometry,
                activation: layer.activation,
                into: output,
                on: pool
            )
        case .pointwise(let weight):
            matMul(weight, input, bias: layer.bias, into: output, scratch: scratch, on: pool)
            activate(output, layer.activation, on: pool)
        }
        if let shortcut = layer.shortcut { add(arena[shortcut], into: output, on: pool) }
    }

    /// The size of a square kernel: 4-D and 3-D weights state it, 2-D ones are pointwise.
    private static func kernel(
        _ shape: [Int],
        name: String,
        path: String
    ) throws(ModelError) -> Int {
        guard shape.count > 2 else { return 1 }
        guard shape[0] == shape[1], shape[0] >= 1, shape[0] <= 15, shape[0] % 2 == 1 else {
            throw .unsupported(
                path: path,
                what: "\(name) has a kernel of \(shape[0]) x \(shape[1])"
            )
        }
        return shape[0]
    }

    private static func activation(_ name: String, path: String) throws(ModelError) -> Activation {
        switch name {
        case "none": return .none
        case "relu": return .relu
        case "relu6": return .relu6
        default:
            throw .unsupported(path: path, what: "ocellus.vision.cnn.activation has '\(name)'")
        }
    }
}
