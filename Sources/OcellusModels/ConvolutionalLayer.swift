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

    /// What of its input a layer needs for a cell of its result.
    enum Reach {
        /// The same cell.
        case cell
        /// The cells of a window.
        case window
        /// The whole picture.
        case picture
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
    /// How to compute some of its cells; nil if all are.
    let part: Part?
    /// The multiply-adds of a cell.
    let cellWork: Int
    /// Where the windows of the cells are.
    let geometry: ConvolutionGeometry
    let input: PlannedTensor
    /// What is added to the result: that of an earlier layer.
    let shortcut: PlannedTensor?

    private let operation: Operation
    private let bias: WeightVector
    private let excitation: SqueezeExcitation?
    private let activation: Activation
    private let scratch: PlannedBytes

    /// Finds the parameters of `name`, which ends with a point, and plans the steps; the caller releases
    /// input and shortcut.
    ///
    /// `reach` is what the function of that name says. `change` is where the input changes, for a layer that
    /// may compute some of its cells. A result that is kept outlives the run.
    ///
    /// - Shapes: input (grid.cellCount, channels), or of the first layer planar, (3, grid.cellCount).
    init(
        _ name: String,
        _ settings: Settings,
        input x: FeatureMap,
        isFirst: Bool,
        reach: Reach,
        change: Part.Change?,
        isKept: Bool,
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
        let kernel = try Self.kernel(shape, settings, name: name + "weight", path: path)
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
        let cuts = settings.headCount > 0 ? [channels, 2 * channels] : []
        let (weight, bias) = try reading { () throws(ModelFileError) in
            (
                try file.matrix(name + "weight", rows: rows, columns: columns, cutAt: cuts),
                try file.vector(name + "bias", count: rows)
            )
        }

        func buffer(_ part: String, _ rows: Int, _ columns: Int) -> PlannedTensor {
            planner.tensor(name + part, rows: rows, columns: columns, in: .scratch)
        }
        let operation: Operation
        let isProduct = Self.isProduct(kernel: kernel, settings, isFirst: isFirst)
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
        let output = FeatureMap(
            tensor: planner.tensor(
                name + "output",
                rows: grid.cellCount,
                columns: outputs,
                in: isKept ? .state : .scratch
            ),
            grid: grid,
            isKept: isKept
        )
        part = change.map {
            Part(name, reach: reach, change: $0, output: output, planner: &planner)
        }
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
        if file.hasTensor(name + Self.excitationName) {
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
        self.output = output
        cellWork = weight.rows * weight.columns
    }

    /// Puts depthwise filters into the order that the kernel reads; called once, at start.
    func prepare(in arena: borrowing Arena) {
        if case .depthwise(let weight, let prepared, _) = operation {
            prepareDepthwise(weight, into: arena[prepared])
        }
    }

    /// Computes all cells from the result of the layer before.
    @_noAllocation @_noLocks
    func runWhole(in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let out = arena[output.tensor]
        compute(arena[input], spans: nil, into: out, in: arena, on: pool)
        if let shortcut { add(arena[shortcut], into: out, on: pool) }
    }

    /// All but the shortcut, of all cells or of those of spans.
    ///
    /// - Shapes: x (pixels, channels), or of a pointwise layer as many rows as out; out (cells, channels).
    @_noAllocation @_noLocks
    func compute(
        _ x: Tensor,
        spans: CellSpans?,
        into out: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) {
        // The depthwise kernel activates as it writes, unless an excitation comes between.
        var activatesAfter = true
        switch operation {
        case .full(let weight, let patches, let isPlanar):
            let patches = arena[patches].prefix(rows: out.rows)
            if isPlanar {
                patchesFromPlanar(
                    x,
                    channels: x.rows,
                    geometry: geometry,
                    spans: spans,
                    into: patches,
                    on: pool
                )
            } else {
                patchesFromInterleaved(
                    x,
                    geometry: geometry,
                    spans: spans,
                    into: patches,
                    on: pool
                )
            }
            matMul(weight, patches, bias: bias, into: out, scratch: arena[scratch], on: pool)
        case .depthwise(_, let prepared, let repeated):
            var read = x
            if let repeated {
                read = arena[repeated]
                repeatColumns(x, into: read)
            }
            activatesAfter = excitation != nil
            depthwiseConv2D(
                read,
                weight: arena[prepared],
                bias: bias,
                geometry: geometry,
                spans: spans,
                activation: activatesAfter ? .none : activation,
                into: out,
                on: pool
            )
        case .pointwise(let weight):
            matMul(weight, x, bias: bias, into: out, scratch: arena[scratch], on: pool)
        case .attention(let attention):
            attention.run(x, into: out, in: arena, on: pool)
        }
        if let excitation { excitation.run(out, in: arena, on: pool) }
        if activatesAfter { activate(out, activation, on: pool) }
    }

    /// What of its input the layer `name`, which ends with a point, needs for a cell.
    static func reach(
        _ name: String,
        _ settings: Settings,
        isFirst: Bool,
        file: borrowing ModelFile
    ) throws(ModelError) -> Reach {
        if settings.headCount > 0 || file.hasTensor(name + excitationName) { return .picture }
        let shape = try reading { () throws(ModelFileError) in
            try file.shape(of: name + "weight")
        }
        let kernel = try kernel(shape, settings, name: name + "weight", path: file.path)
        return isProduct(kernel: kernel, settings, isFirst: isFirst) ? .cell : .window
    }

    private static let excitationName = "se.fc1.weight"

    /// Whether a layer is a matrix product over the channels of each pixel, where they lie.
    private static func isProduct(kernel: Int, _ settings: Settings, isFirst: Bool) -> Bool {
        kernel == 1 && settings.stride == 1 && !isFirst
    }

    /// The size of a square kernel: 4-D and 3-D weights state it, 2-D ones are pointwise.
    private static func kernel(
        _ shape: [Int],
        _ settings: Settings,
        name: String,
        path: String
    ) throws(ModelError) -> Int {
        guard shape.count > 2 else { return 1 }
        // Half an even kernel is no padding that PyTorch could give to both sides alike.
        let mayBeEven = settings.isTensorFlowPadded && !settings.isDepthwise
        guard shape[0] == shape[1], 1...15 ~= shape[0], mayBeEven || shape[0] % 2 == 1 else {
            throw .unsupported(
                path: path,
                what: "\(name) has a kernel of \(shape[0]) x \(shape[1])"
            )
        }
        return shape[0]
    }
}
