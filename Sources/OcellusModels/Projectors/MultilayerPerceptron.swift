// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// Linear layers with an activation between them, each row by itself.
///
///     y = W_n act(... act(W_1 x + b_1) ...) + b_n
struct MultilayerPerceptron: ~Copyable {
    /// (rowsBefore + rows, outputs); the result is behind the rows before.
    let output: PlannedTensor
    /// The width of the result.
    var outputs: Int { output.columns }

    private let layers: [Linear]
    private let inner: [PlannedTensor]  // the results of all layers but the last
    private let activation: Activation
    private let rowsBefore: Int
    private let scratch: PlannedBytes

    /// Finds the layers of these names in a file, at least one, and plans their results; the last one
    /// ends with a step.
    ///
    /// - Shapes: x (rows, inputs); its buffer, if it is owned, ends with its first use.
    init(
        _ names: [String],
        activation: Activation = .geluErf,
        inputs: Int,
        rows: Int,
        rowsBefore: Int = 0,
        releasing owned: PlannedTensor?,
        file: borrowing ModelFile,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        var layers: [Linear] = []
        var widths = [inputs]
        for name in names {
            let outputs = try Self.outputCount(name, file)
            layers.append(
                try Linear(name, outputs: outputs, inputs: widths[widths.count - 1], file: file)
            )
            widths.append(outputs)
        }
        let scratch = planner.bytes(
            names[0] + ".quantised",
            count: matMulScratchByteCount(
                tokens: rows,
                columns: widths.dropLast().max() ?? inputs
            ),
            in: .scratch
        )
        var inner: [PlannedTensor] = []
        var previous = owned
        for index in layers.indices.dropLast() {
            let result = planner.tensor(
                names[index],
                rows: rows,
                columns: widths[index + 1],
                in: .scratch
            )
            planner.release(previous)
            planner.advance()
            inner.append(result)
            previous = result
        }
        output = planner.tensor(
            names[names.count - 1],
            rows: rowsBefore + rows,
            columns: widths[widths.count - 1],
            in: .scratch
        )
        planner.release(previous)
        planner.release(scratch)
        planner.advance()
        self.layers = layers
        self.inner = inner
        self.activation = activation
        self.rowsBefore = rowsBefore
        self.scratch = scratch
    }

    /// - Shapes: x (rows, inputs); the result (rows, outputs) is a part of `output`.
    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) -> Tensor {
        let scratch = arena[self.scratch]
        var x = x
        for index in 0..<inner.count {
            let result = arena[inner[index]]
            matMul(layers[index], x, into: result, scratch: scratch, on: pool)
            activate(result, activation, on: pool)
            x = result
        }
        let output = arena[self.output]
        let result = output.rows(rowsBefore..<output.rows)
        matMul(layers[inner.count], x, into: result, scratch: scratch, on: pool)
        return result
    }

    /// The count of outputs of a layer whose width no key of the file states.
    private static func outputCount(
        _ name: String,
        _ file: borrowing ModelFile
    ) throws(ModelError) -> Int {
        let shape = try reading { () throws(ModelFileError) in
            try file.shape(of: name + ".weight")
        }
        guard shape.count == 2, shape[1] > 0, shape[1] <= 1 << 20 else {
            throw .unsupported(path: file.path, what: "\(name).weight is not a matrix of weights")
        }
        return shape[1]
    }
}
