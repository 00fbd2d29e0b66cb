// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import OcellusMemory

/// What `ocellus-kit convert` does for one file, in the form of its JSON.
struct ConversionReport: Encodable {
    /// One tensor; `shape` in GGUF's order, `fromShape` in PyTorch's.
    struct Tensor: Encodable {
        var name: String
        var type: String
        var shape: [Int]
        var bytes: Int
        /// The names in the checkpoint; none for a tensor that is made up.
        var from: [String]
        var fromType: String?
        var fromShape: [Int]?
        /// The error relative to the weights; nil if it was not computed in this run.
        var relativeError: Double?
        /// Why the type is not the one that was asked for.
        var note: String?

        /// The names in the checkpoint on one line: of what is folded together, the first.
        var sources: String {
            guard let first = from.first else { return "" }
            return from.count > 1 ? "\(first) + \(from.count - 1) more" : first
        }
    }

    var out: String
    var bytes: Int
    var tensors: [Tensor]
    /// What was assumed where nothing states it.
    var notes: [String]

    /// What a plan says, before anything is computed.
    init(_ plan: ConversionPlan, out: String) {
        self.out = out
        bytes = plan.byteCount
        notes = plan.description.notes
        tensors = plan.steps.map { step in
            Tensor(
                name: step.mapping.name,
                type: step.type.name,
                shape: step.shape,
                bytes: step.byteCount,
                from: step.sources.map(\.name),
                fromType: step.sources.first?.type.rawValue,
                fromShape: step.sources.first?.shape,
                note: step.reason
            )
        }
    }

    /// Adds what was measured, per place in the plan.
    mutating func add(_ errors: [Int: Double]) {
        for (index, error) in errors { tensors[index].relativeError = error }
    }

    /// Prints a table.
    func print() {
        printLine(out)
        let width = tensors.map(\.name.count).max() ?? 0
        let sourceWidth = tensors.map { $0.sources.count }.max() ?? 0
        for tensor in tensors {
            let shape = "(" + tensor.shape.map(String.init).joined(separator: ", ") + ")"
            let columns = [
                padded(tensor.sources, to: sourceWidth),
                padded(tensor.fromType ?? "", to: 4),
                "-> \(padded(tensor.name, to: width))", padded(tensor.type, to: 4),
                padded(shape, to: 16), padded("\(tensor.bytes) bytes", to: 16), tensor.note ?? "",
            ]
            let line = columns.joined(separator: "  ")
            printLine("  " + line.trimmingCharacters(in: .whitespaces))
        }
        printLine("  \(tensors.count) tensors, \(bytes) bytes")
        for note in notes { printLine("  note: \(note)") }
    }
}
