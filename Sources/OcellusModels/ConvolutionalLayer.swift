// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// One layer of a convolutional network, after which an earlier result may be added.
///
///     y = activation(excitation(convolution(x) + b)) [+ shortcut]
///
/// A layer with heads is no convolution but the attention of all pixels to all: its weights give queries,
/// keys and values, one after another.
struct ConvolutionalLayer {
    /// What the file's keys say of a layer; its sizes are those of its tensors.
    struct Settings {
        let stride: Int
        let isDepthwise: Bool
        /// 0 for a convolution.
        let headCount: Int
        let activation: Activation
        let isTensorFlowPadded: Bool
        /// Of the norm before attention.
        let epsilon: Float

        /// Where the taps of a kernel fall on a grid.
        func geometry(kernel: Int, on grid: FeatureGrid) -> ConvolutionGeometry {
            isTensorFlowPadded
                ? .tensorFlowSame(
                    height: grid.height,
                    width: grid.width,
                    kernel: kernel,
                    stride: stride
                )
                : .pytorch(
                    height: grid.height,
                    width: grid.width,
                    kernel: kernel,
                    stride: stride,
                    padding: kernel / 2
                )
        }
    }

    private enum Operation {
        /// Patches of the input, then a matrix product.
        case full(weight: WeightMatrix, patches: PlannedTensor, isPlanar: Bool)
        /// One filter per output channel; `prepared` holds the weights as (k * k, channels). With more
        /// outputs than inputs, `repeated` holds each input channel as often as it is read.
        case depthwise(weight: WeightMatrix, prepared: PlannedTensor, repeated: PlannedTensor?)
        /// A matrix product over the channels of each pixel.
        case pointwise(weight: WeightMatrix)
        /// Three matrix products, then attention.
        case attention(PixelAttention)
    }

    /// The result, (pixels, channels).
    let output: FeatureMap

    private let operation: Operation
    private let bias: WeightVector
    private let excitation: SqueezeExcitation?
    private let activation: Activation
    private let geometry: ConvolutionGeometry
    private let input: PlannedTensor
    /// What is added to the result: that of an earlier layer.
    private let shortcut: PlannedTensor?
    private let scratch: PlannedBytes

    /// Finds the parameters of `name`, which ends with a point, and plans the steps; the caller releases
    /// input and shortcut.
    ///
    /// - Shapes: input (grid.cellCount, channels), or of the first layer planar, (3, grid.cellCount).
    init(
        _ name: String,
        _ settings: Settings,
        input x: FeatureMap,
        isFirst: Bool,
        shortcut: FeatureMap?,
        threadCount: Int,
        file: borrowing ModelFile,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let path = file.path
        func refuse(_ what: String) -> ModelError { .unsupported(path: path, what: what) }
        let shape = try reading { () throws(ModelFileError) in
            try file.shape(of: name + "weight")
        }
        let kernel = try Self.kernel(
            shape,
            // Half an even kernel is no padding that PyTorch could give to both sides alike.
            mayBeEven: settings.isTensorFlowPadded && !settings.isDepthwise,
            name: name + "weight",
            path: path
        )
        guard 1...16 ~= settings.stride else {
            throw refuse("the stride of \(name) is \(settings.stride)")
        }
        let geometry = settings.geometry(kernel: kernel, on: x.grid)
        let grid = FeatureGrid(height: geometry.outputHeight, width: geometry.outputWidth)
        let channels = isFirst ? x.tensor.rows : x.tensor.columns
        // ne0 is the fastest dimension, so the last one counts the rows.
        let rows = shape.last ?? 0
        let outputs = settings.headCount > 0 ? channels : rows
        guard 1...1 << 16 ~= rows else { throw refuse("\(name)weight has \(rows) outputs") }
        let taps = kernel * kernel
        let columns = settings.isDepthwise ? taps : channels * taps
        let (weight, bias) = try reading { () throws(ModelFileError) in
            (
                try file.matrix(name + "weight", rows: rows, columns: columns),
                try file.vector(name + "bias", count: rows)
            )
        }

        func buffer(_ part: String, _ rows: Int, _ columns: Int) -> PlannedTensor {
            planner.tensor(name + part, rows: rows, columns: columns, in: .scratch)
        }
        let operation: Operation
        let isProduct = kernel == 1 && settings.stride == 1 && !isFirst
        if settings.headCount > 0 {
            guard isProduct, !settings.isDepthwise, channels % settings.headCount == 0,
                rows == 3 * channels
            else {
                throw refuse("\(name)weight has not queries, keys and values of \(channels)")
            }
            operation = .attention(
                PixelAttention(
                    name,
                    qkv: Linear(weight: weight, bias: bias),
                    headCount: settings.headCount,
                    norm: file.hasTensor(name + "ln.weight")
                        ? try LayerNorm(name + "ln", width: channels, file: file) : nil,
                    epsilon: settings.epsilon,
                    cellCount: grid.cellCount,
                    threadCount: threadCount,
                    planner: &planner
                )
            )
        } else if settings.isDepthwise {
            guard !isFirst, outputs % channels == 0 else {
                throw refuse("\(name)weight is not of a multiple of \(channels) channels")
            }
            let prepared = planner.tensor(
                name + "weight",
                rows: taps,
                columns: outputs,
                in: .state
            )
            let repeated =
                outputs > channels ? buffer("repeated", x.grid.cellCount, outputs) : nil
            operation = .depthwise(weight: weight, prepared: prepared, repeated: repeated)
        } else if isProduct {
            operation = .pointwise(weight: weight)
        } else {
            let patches = buffer("patches", grid.cellCount, columns)
            operation = .full(weight: weight, patches: patches, isPlanar: isFirst)
        }
        planner.advance()
        let isQuantised = !settings.isDepthwise && settings.headCount == 0
        let scratch = planner.bytes(
            name + "quantised",
            count: isQuantised
                ? matMulScratchByteCount(tokens: grid.cellCount, columns: columns) : 0,
            in: .scratch
        )
        let output = buffer("output", grid.cellCount, outputs)
        if let sum = shortcut?.tensor, sum.rows != grid.cellCount || sum.columns != outputs {
            throw refuse("the shortcut to \(name) has another size")
        }
        planner.release(scratch)
        switch operation {
        case .full(_, let patches, _): planner.release(patches)
        case .depthwise(_, _, let repeated): planner.release(repeated)
        case .attention(let attention): attention.release(from: &planner)
        case .pointwise: break
        }
        var excitation: SqueezeExcitation?
        if file.hasTensor(name + "se.fc1.weight") {
            planner.advance()
            excitation = try SqueezeExcitation(
                name + "se",
                channels: outputs,
                activation: .relu,
                gate: .sigmoid,
                file: file,
                planner: &planner
            )
        }
        self.excitation = excitation
        self.operation = operation
        self.bias = bias
        self.geometry = geometry
        self.scratch = scratch
        self.shortcut = shortcut?.tensor
        activation = settings.activation
        input = x.tensor
        self.output = FeatureMap(tensor: output, grid: grid)
    }

    /// Puts depthwise filters into the order that the kernel reads; called once, at start.
    func prepare(in arena: borrowing Arena) {
        if case .depthwise(let weight, let prepared, _) = operation {
            prepareDepthwise(weight, into: arena[prepared])
        }
    }

    /// Runs the layer on the result of the one before.
    @_noAllocation @_noLocks
    func run(in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let (input, out) = (arena[self.input], arena[output.tensor])
        // The depthwise kernel activates as it writes, unless an excitation comes between.
        var activatesAfter = true
        switch operation {
        case .full(let weight, let patches, let isPlanar):
            let patches = arena[patches]
            if isPlanar {
                patchesFromPlanar(
                    input,
                    channels: input.rows,
                    geometry: geometry,
                    into: patches,
                    on: pool
                )
            } else {
                patchesFromInterleaved(input, geometry: geometry, into: patches, on: pool)
            }
            matMul(weight, patches, bias: bias, into: out, scratch: arena[scratch], on: pool)
        case .depthwise(_, let prepared, let repeated):
            var read = input
            if let repeated {
                read = arena[repeated]
                repeatColumns(input, into: read)
            }
            activatesAfter = excitation != nil
            depthwiseConv2D(
                read,
                weight: arena[prepared],
                bias: bias,
                geometry: geometry,
                activation: activatesAfter ? .none : activation,
                into: out,
                on: pool
            )
        case .pointwise(let weight):
            matMul(weight, input, bias: bias, into: out, scratch: arena[scratch], on: pool)
        case .attention(let attention):
            attention.run(input, into: out, in: arena, on: pool)
        }
        if let excitation { excitation.run(out, in: arena, on: pool) }
        if activatesAfter { activate(out, activation, on: pool) }
        if let shortcut { add(arena[shortcut], into: out, on: pool) }
    }

    /// The size of a square kernel: 4-D and 3-D weights state it, 2-D ones are pointwise.
    private static func kernel(
        _ shape: [Int],
        mayBeEven: Bool,
        name: String,
        path: String
    ) throws(ModelError) -> Int {
        guard shape.count > 2 else { return 1 }
        guard shape[0] == shape[1], 1...15 ~= shape[0], mayBeEven || shape[0] % 2 == 1 else {
            throw .unsupported(
                path: path,
                what: "\(name) has a kernel of \(shape[0]) x \(shape[1])"
            )
        }
        return shape[0]
    }
}
