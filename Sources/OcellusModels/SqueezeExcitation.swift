// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// Squeeze-and-excitation: each channel is scaled by what the whole picture says.
///
///     x = x * gate(W2 act(W1 mean(x) + b1) + b2)
///
/// - Source: Hu et al. 2018, equations 2 to 4.
struct SqueezeExcitation {
    private let squeeze: Linear
    private let excite: Linear
    private let activation: Activation
    private let gate: Activation
    private let mean: PlannedTensor  // (1, channels)
    private let inner: PlannedTensor  // (1, squeezed)
    private let factors: PlannedTensor  // (1, channels)
    private let scratch: PlannedBytes

    /// Finds `name.fc1` and `name.fc2`, and plans the vectors in the current step.
    init(
        _ name: String,
        channels: Int,
        activation: Activation,
        gate: Activation,
        file: borrowing ModelFile,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        let shape = try reading { () throws(ModelFileError) in
            try file.shape(of: name + ".fc1.bias")
        }
        let squeezed = shape.reduce(1, *)
        squeeze = try Linear(name + ".fc1", outputs: squeezed, inputs: channels, file: file)
        excite = try Linear(name + ".fc2", outputs: channels, inputs: squeezed, file: file)
        self.activation = activation
        self.gate = gate
        mean = planner.tensor(name + ".mean", rows: 1, columns: channels, in: .scratch)
        inner = planner.tensor(name + ".inner", rows: 1, columns: squeezed, in: .scratch)
        factors = planner.tensor(name + ".factors", rows: 1, columns: channels, in: .scratch)
        scratch = planner.bytes(
            name + ".quantised",
            count: matMulScratchByteCount(tokens: 1, columns: max(channels, squeezed)),
            in: .scratch
        )
        planner.release(mean)
        planner.release(inner)
        planner.release(factors)
        planner.release(scratch)
    }

    /// - Shapes: x (cells, channels), in place.
    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        let (mean, inner, factors) = (arena[self.mean], arena[self.inner], arena[self.factors])
        let scratch = arena[self.scratch]
        meanRows(x, into: mean)
        matMul(squeeze, mean, into: inner, scratch: scratch, on: pool)
        activate(inner, activation, on: pool)
        matMul(excite, inner, into: factors, scratch: scratch, on: pool)
        activate(factors, gate, on: pool)
        scaleColumns(factors, into: x, on: pool)
    }
}
