// SPDX-License-Identifier: Apache-2.0

/// A matrix behind a norm: a batch norm becomes one matrix with a bias, a layer norm stays before it.
///
///     W' = W diag(g / sqrt(variance + epsilon)),  b' = W (b - mean g / sqrt(variance + epsilon))
struct NormedProjection {
    /// Which norm it is.
    enum Norm { case batch, layer }

    let kind: Norm
    /// The name of the matrix in the checkpoint.
    let weight: String
    /// What the names of the norm begin with.
    let norm: String
    /// (outputs, inputs).
    let shape: [Int]
    let epsilon: Float

    /// Adds weight and bias of a layer, and the norm if it stays.
    func add(as name: String, to file: inout FileDescription) {
        switch kind {
        case .batch: addFolded(as: name, to: &file)
        case .layer: addBehindNorm(as: name, to: &file)
        }
    }

    private func addBehindNorm(as name: String, to file: inout FileDescription) {
        let (outputs, inputs) = (shape[0], shape[1])
        file.add(TensorMapping(name + ".weight", from: weight, shape))
        let zeros = TensorMapping.Content.computed([]) { _ in
            [Float](repeating: 0, count: outputs)
        }
        file.add(
            TensorMapping(name + ".bias", shape: [outputs], storage: .exact, content: zeros)
        )
        for part in [".weight", ".bias"] {
            file.add(TensorMapping(name + ".ln" + part, from: norm + part, [inputs]))
        }
    }

    private func addFolded(as name: String, to file: inout FileDescription) {
        let (inputs, epsilon) = (shape[1], self.epsilon)
        func source(_ part: String) -> TensorMapping.Source {
            TensorMapping.Source(norm + part, [inputs])
        }
        let matrix = TensorMapping.Source(weight, shape)
        let gain = source(".weight")
        let variance = TensorMapping.Source(norm + ".running_var", [inputs], isVariance: true)
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
