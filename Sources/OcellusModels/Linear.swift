// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusMemory

/// The parameters of one linear layer, out = W x + b.
struct Linear {
    let weight: WeightMatrix
    let bias: WeightVector?

    /// Finds `name.weight` (outputs, inputs) and `name.bias` (outputs).
    init(
        _ name: String,
        outputs: Int,
        inputs: Int,
        hasBias: Bool = true,
        file: borrowing ModelFile
    ) throws(ModelError) {
        (weight, bias) = try reading { () throws(ModelFileError) in
            (
                try file.matrix(name + ".weight", rows: outputs, columns: inputs),
                hasBias ? try file.vector(name + ".bias", count: outputs) : nil
            )
        }
    }
}
