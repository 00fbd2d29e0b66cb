// SPDX-License-Identifier: Apache-2.0

/// A convolution with bias that does what some branches of a published model do together.
///
///     W' = sum of f W g / sqrt(variance + epsilon),  b' = sum of f (b - mean) g / sqrt(variance + epsilon) + f c
///
/// Each branch is a convolution W or the identity, of the same kernel or a smaller odd one, with a batch norm (g, b) or a
/// bias (c), and with a factor f per output: a sign, and what a layer scale holds.
///
/// - Source: Ding et al. 2021 (RepVGG), section 3.3; Vasu et al. 2023 (MobileOne), section 3.1.
struct FoldedConvolution {
    /// One of the things that are added up.
    struct Branch {
        /// The name of the weight; nil for the identity of a depthwise or pointwise convolution.
        var weight: String?
        /// The side of its kernel; nil for that of the result.
        var kernel: Int?
        /// What the names of a batch norm begin with.
        var norm: String?
        /// The name of a bias.
        var bias: String?
        /// The name of one factor per output.
        var scale: String?
        /// 1 or -1.
        var sign: Float = 1
    }

    let branches: [Branch]
    /// The shape of the result as PyTorch writes it, (outputs, inputs of a group, k, k).
    let shape: [Int]
    let epsilon: Float

    private var outputs: Int { shape[0] }
    private var inputs: Int { shape[1] }
    private var kernel: Int { shape[3] }

    /// Adds weight and bias of a layer, in the type of the first branch's weight.
    func add(as name: String, of checkpoint: Checkpoint, to file: inout FileDescription) {
        var (sources, parts): ([TensorMapping.Source], [Part]) = ([], [])
        /// Where a tensor will be among the values.
        func index(_ tensor: String?, _ shape: [Int], isVariance: Bool = false) -> Int? {
            guard let tensor else { return nil }
            sources.append(TensorMapping.Source(tensor, shape, isVariance: isVariance))
            return sources.count - 1
        }
        for branch in branches {
            let expected = weightShape(branch, checkpoint)
            let norm = branch.norm
            parts.append(
                Part(
                    weight: index(branch.weight, expected),
                    side: branch.weight == nil ? 1 : branch.kernel ?? kernel,
                    gain: index(norm.map { $0 + ".weight" }, [outputs]),
                    shift: index(norm.map { $0 + ".bias" }, [outputs]),
                    mean: index(norm.map { $0 + ".running_mean" }, [outputs]),
                    variance: index(
                        norm.map { $0 + ".running_var" },
                        [outputs],
                        isVariance: true
                    ),
                    bias: index(branch.bias, [outputs]),
                    scale: index(branch.scale, scaleShape(branch.scale, checkpoint)),
                    sign: branch.sign
                )
            )
        }
        let isPointwise = kernel == 1
        file.add(
            TensorMapping(
                name + ".weight",
                shape: isPointwise ? [outputs, inputs] : shape,
                storage: isPointwise ? .matrix : .convolution,
                content: .computed(sources) { [parts] in weight(parts, $0) }
            )
        )
        file.add(
            TensorMapping(
                name + ".bias",
                shape: [outputs],
                storage: .exact,
                content: .computed(sources) { [parts] in bias(parts, $0) }
            )
        )
    }

    /// A branch by the places of its tensors among the values.
    private struct Part {
        let weight: Int?
        let side: Int
        let gain, shift, mean, variance, bias, scale: Int?
        let sign: Float

        /// What multiplies an output, before and with the norm.
        func factor(_ output: Int, _ values: [[Float]]) -> Float {
            sign * (scale.map { values[$0][output] } ?? 1)
        }
        func gain(_ output: Int, _ values: [[Float]], _ epsilon: Float) -> Float {
            guard let gain, let variance else { return 1 }
            return values[gain][output] / (values[variance][output] + epsilon).squareRoot()
        }
    }

    private func weight(_ parts: [Part], _ values: [[Float]]) -> [Float] {
        var sum = [Float](repeating: 0, count: shape.reduce(1, *))
        for part in parts {
            let margin = (kernel - part.side) / 2
            for output in 0..<outputs {
                let factor =
                    part.factor(output, values) * part.gain(output, values, epsilon)
                guard let weight = part.weight else {
                    // The identity of a group reads the input of its own number.
                    let tap = (output * inputs + output % inputs) * kernel * kernel
                    sum[tap + kernel * kernel / 2] += factor
                    continue
                }
                for input in 0..<inputs {
                    for row in 0..<part.side {
                        for column in 0..<part.side {
                            let from =
                                ((output * inputs + input) * part.side + row) * part.side + column
                            let to =
                                ((output * inputs + input) * kernel + row + margin) * kernel
                                + column + margin
                            sum[to] += factor * values[weight][from]
                        }
                    }
                }
            }
        }
        return sum
    }

    private func bias(_ parts: [Part], _ values: [[Float]]) -> [Float] {
        (0..<outputs).map { output in
            var sum: Float = 0
            for part in parts {
                let factor = part.factor(output, values)
                if let shift = part.shift, let mean = part.mean {
                    let gain = part.gain(output, values, epsilon)
                    sum += factor * (values[shift][output] - values[mean][output] * gain)
                }
                if let bias = part.bias { sum += factor * values[bias][output] }
            }
            return sum
        }
    }

    /// The shape that a branch's weight must have; one of single cells may be stored as a matrix.
    private func weightShape(_ branch: Branch, _ checkpoint: Checkpoint) -> [Int] {
        let side = branch.kernel ?? kernel
        let isMatrix = branch.weight.flatMap { checkpoint[$0] }?.shape.count == 2 && side == 1
        return isMatrix ? [outputs, inputs] : [outputs, inputs, side, side]
    }

    /// A layer scale is (outputs) or (outputs, 1, 1).
    private func scaleShape(_ name: String?, _ checkpoint: Checkpoint) -> [Int] {
        let shape = name.flatMap { checkpoint[$0]?.shape } ?? []
        return shape == [outputs, 1, 1] ? shape : [outputs]
    }
}
