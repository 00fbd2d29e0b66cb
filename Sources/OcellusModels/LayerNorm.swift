// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
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
