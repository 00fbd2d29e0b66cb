// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// A depthwise convolution of 3 x 3 cells with zeros around the grid, and its prepared weights.
struct DepthwiseFilter {
    private let weight: WeightMatrix  // (channels, 9)
    private let bias: WeightVector?
    private let prepared: PlannedTensor  // (9, channels)
    private let geometry: ConvolutionGeometry
    private let addsInput: Bool

    /// The arrangement of the result.
    var outputGrid: FeatureGrid {
        FeatureGrid(height: geometry.outputHeight, width: geometry.outputWidth)
    }

    /// Finds `name.weight` (channels, 1, 3, 3) and `name.bias`.
    ///
    /// With `addsInput`, each cell's own value is added to its result before the activation; the
    /// stride must be 1.
    init(
        _ name: String,
        channels: Int,
        grid: FeatureGrid,
        stride: Int,
        hasBias: Bool,
        addsInput: Bool = false,
        file: borrowing ModelFile,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        (weight, bias) = try reading { () throws(ModelFileError) in
            (
                try file.matrix(name + ".weight", rows: channels, columns: 9),
                hasBias ? try file.vector(name + ".bias", count: channels) : nil
            )
        }
        guard weight.type.blockElementCount == 1 else {
            throw .unsupported(path: file.path, what: "\(name).weight is quantised in blocks")
        }
        prepared = planner.tensor(name + ".weight", rows: 9, columns: channels, in: .state)
        geometry = .pytorch(
            height: grid.height,
            width: grid.width,
            kernel: 3,
            stride: stride,
            padding: 1
        )
        self.addsInput = addsInput
    }

    /// Puts the weights into the order that the kernel reads; called once, at start.
    func prepare(in arena: borrowing Arena) {
        let prepared = arena[prepared]
        prepareDepthwise(weight, into: prepared)
        guard addsInput else { return }
        let center = 4
        for channel in 0..<prepared.columns { prepared[center, channel] += 1 }
    }

    /// - Shapes: x (input cells, channels); out (output cells, channels).
    @_noAllocation @_noLocks
    func run(
        _ x: Tensor,
        activation: Activation,
        into out: Tensor,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) {
        depthwiseConv2D(
            x,
            weight: arena[prepared],
            bias: bias,
            geometry: geometry,
            activation: activation,
            into: out,
            on: pool
        )
    }
}
