// SPDX-License-Identifier: Apache-2.0
import OcellusKernels

/// The kernels of one run of a stage, summed up by operation and by layer.
struct BenchProfile {
    /// The stage.
    let name: String
    /// Kernels by the time they take, the longest first.
    let operations: [(name: String, callCount: Int, nanoseconds: Int64)]
    /// The time of each layer; the first entry is what is outside of layers.
    let layers: [Int64]

    init(name: String, calls: [KernelProfile.Call]) {
        self.name = name
        var operations: [(name: String, callCount: Int, nanoseconds: Int64)] = []
        var layers: [Int64] = [0]
        for call in calls {
            while layers.count <= call.part { layers.append(0) }
            layers[call.part] += call.nanoseconds
            if let index = operations.firstIndex(where: { $0.name == call.operation }) {
                operations[index].callCount += 1
                operations[index].nanoseconds += call.nanoseconds
            } else {
                operations.append((call.operation, 1, call.nanoseconds))
            }
        }
        self.operations = operations.sorted { $0.nanoseconds > $1.nanoseconds }
        self.layers = layers
    }

    /// The sums as an object.
    var json: JSON {
        .object([
            (
                "operations",
                .object(
                    operations.map { operation in
                        (
                            operation.name,
                            .object([
                                ("calls", .int(operation.callCount)),
                                ("milliseconds", number(operation.nanoseconds)),
                            ])
                        )
                    }
                )
            ),
            ("outsideMilliseconds", number(layers[0])),
            ("layerMilliseconds", .array(layers.dropFirst().map(number))),
        ])
    }

    /// Writes two tables.
    func write() {
        let total = max(1, layers.reduce(0, +))
        writeLine("")
        writeLine(
            padded("kernels of one \(name == "decode" ? "step" : name)", 28) + "calls        ms"
        )
        for operation in operations {
            writeLine(
                "  " + padded(operation.name, 22)
                    + padded(String(operation.callCount), 9, right: true)
                    + padded(milliseconds(operation.nanoseconds), 10, right: true)
                    + padded(
                        decimal(100 * Double(operation.nanoseconds) / Double(total), 1),
                        7,
                        right: true
                    )
                    + " %"
            )
        }
        for (layer, nanoseconds) in layers.enumerated() {
            let name = layer == 0 ? "outside of layers" : "layer \(layer)"
            writeLine(
                "  " + padded(name, 31) + padded(milliseconds(nanoseconds), 10, right: true)
            )
        }
    }

    private func number(_ nanoseconds: Int64) -> JSON {
        .number(Double(nanoseconds) / 1e6, digits: 4)
    }
}
