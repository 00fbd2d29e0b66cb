// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The parameters of one linear layer, out = W x + b.
struct Linear {
    let weight: WeightMatrix
    let bias: WeightVector?

    /// Finds `name.weight` (outputs, inputs) and `name.bias` (outputs).
    ///
    /// The weight can be cut into this many equal parts, with `outputs(_:)`.
    init(
        _ name: String,
        outputs: Int,
        inputs: Int,
        partCount: Int = 1,
        hasBias: Bool = true,
        file: borrowing ModelFile
    ) throws(ModelError) {
        (weight, bias) = try reading { () throws(ModelFileError) in
            (
                try file.matrix(
                    name + ".weight",
                    rows: outputs,
                    columns: inputs,
                    cutAt: (1..<partCount).map { $0 * outputs / partCount }
                ),
                hasBias ? try file.vector(name + ".bias", count: outputs) : nil
            )
        }
    }

    init(weight: WeightMatrix, bias: WeightVector?) {
        self.weight = weight
        self.bias = bias
    }

    /// Some of the outputs, of layers that are stored as one.
    func outputs(_ range: Range<Int>) -> Linear {
        Linear(weight: weight.rows(range), bias: bias?.elements(range))
    }
}

/// `out = W x + b`, as `matMul` of the kernels computes it.
@_noAllocation @_noLocks
func matMul(
    _ linear: Linear,
    _ x: Tensor,
    into out: Tensor,
    scratch: Bytes,
    on pool: borrowing ThreadPool
) {
    matMul(linear.weight, x, bias: linear.bias, into: out, scratch: scratch, on: pool)
}
