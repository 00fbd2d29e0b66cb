// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The parameters of one layer norm.
struct LayerNorm {
    let weight: WeightVector
    let bias: WeightVector

    /// Finds `name.weight` and `name.bias`, both (width).
    init(_ name: String, width: Int, file: borrowing ModelFile) throws(ModelError) {
        (weight, bias) = try reading { () throws(ModelFileError) in
            (
                try file.vector(name + ".weight", count: width),
                try file.vector(name + ".bias", count: width)
            )
        }
    }
}

/// The layer norm of each row, as the kernel of this name computes it.
@_noAllocation @_noLocks
func layerNorm(
    _ x: Tensor,
    _ norm: LayerNorm,
    epsilon: Float,
    into out: Tensor,
    on pool: borrowing ThreadPool
) {
    layerNorm(x, weight: norm.weight, bias: norm.bias, epsilon: epsilon, into: out, on: pool)
}
