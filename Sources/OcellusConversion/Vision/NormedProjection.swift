// SPDX-License-Identifier: Apache-2.0

/// A matrix behind a batch norm, as one matrix with a bias.
///
///     W' = W diag(g / sqrt(variance + epsilon)),  b' = W (b - mean g / sqrt(variance + epsilon))
struct NormedProjection {
    /// The name of the matrix in the checkpoint.
    let weight: String
    /// What the names of the norm begin with.
    let norm: String
    /// (outputs, inputs).
    let shape: [Int]
    let epsilon: Float

    /// Adds weight and bias of a layer.
    func add(as name: String, to file: inout FileDescription) {
        let (inputs, epsilon) = (shape[1], self.epsilon)
        func source(_ part: String) -> TensorMapping.Source {
            TensorMapping.Source(norm + part, [inputs])
        }
        let matrix = TensorMapping.Source(weight, shape)
        let (gain, variance) = (source(".weight"), source(".running_var"))
        file.add(
            TensorMapping(
                name + ".weight",
                shape: shape,
                storage: .matrix,
                content: .computed([matrix, gain, variance]) {
                    let (weight, gain, variance) = ($0[0], $0[1], $0[2])
                    return weight.indices.map {
                        let input = $0 % inputs
                        return weight[$0] * gain[input] / (variance[input] + epsilon).squareRoot()
                    }
                }
            )
        )
        file.add(
            TensorMapping(
                name + ".bias",
                shape: [shape[0]],
                storage: .exact,
                content: .computed(
                    [matrix, gain, variance, source(".bias"), source(".running_mean")]
                ) {
                    let (weight, gain, variance, bias, mean) = ($0[0], $0[1], $0[2], $0[3], $0[4])
                    var sums = [Float](repeating: 0, count: weight.count / inputs)
                    for index in weight.indices {
                        let input = index % inputs
                        let scale = gain[input] / (variance[input] + epsilon).squareRoot()
                        sums[index / inputs] += weight[index] * (bias[input] - mean[input] * scale)
                    }
                    return sums
                }
            )
        )
    }
}
