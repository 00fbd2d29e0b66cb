// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat
import OcellusQuantization

/// What `ocellus-kit quantize` has done to one file, in the form of its JSON.
struct QuantizationReport: Encodable {
    /// One tensor; `shape` in GGUF's order, the first dimension varies fastest.
    struct Tensor: Encodable {
        var name: String
        var from: String
        var to: String
        var shape: [Int]
        var bytesBefore: Int
        var bytes: Int
        /// The error relative to the weights; nil if nothing was computed or rounded.
        var relativeError: Double?
        /// The same by the importance of the columns; nil without samples.
        var productError: Double?
        /// Why the type is not the one that was asked for.
        var note: String?
        var isRounded: Bool

        private enum CodingKeys: String, CodingKey {
            case name, from, to, shape, bytes, relativeError, productError, note
        }
    }

    var file: String
    var out: String
    var bytesBefore: Int
    var bytesAfter: Int
    /// Over all tensors that were rounded.
    var relativeError: Double?
    /// The same by the importance of the columns; nil without samples.
    var productError: Double?
    var tensors: [Tensor]

    /// What a plan says, before anything is computed.
    init(_ plan: QuantizationPlan, file: String, out: String) {
        self.file = file
        self.out = out
        bytesBefore = plan.steps.map(\.tensor.byteCount).reduce(0, +)
        bytesAfter = plan.byteCount
        tensors = plan.steps.map { step in
            Tensor(
                name: step.tensor.name,
                from: step.tensor.type.name,
                to: step.type.name,
                shape: step.tensor.shape,
                bytesBefore: step.tensor.byteCount,
                bytes: step.byteCount,
                relativeError: nil,
                note: step.reason,
                isRounded: !step.isCopy && !step.isRearranged
            )
        }
    }

    /// Adds what was measured, per tensor.
    mutating func add(_ errors: [QuantizationErrorSums], hasImportance: Bool) {
        var total = QuantizationErrorSums()
        guard tensors.contains(where: \.isRounded) else { return }
        for (index, sums) in errors.enumerated() where tensors[index].isRounded {
            tensors[index].relativeError = sums.relativeRMS
            tensors[index].productError = hasImportance ? sums.relativeProductRMS : nil
            total.add(sums)
        }
        relativeError = total.relativeRMS
        productError = hasImportance ? total.relativeProductRMS : nil
    }

    /// Prints a table.
    func print() {
        printLine("\(file) -> \(out)")
        let width = tensors.map(\.name.count).max() ?? 0
        for tensor in tensors {
            let isKept = tensor.from == tensor.to
            let types = isKept ? "\(tensor.from) kept" : "\(tensor.from) -> \(tensor.to)"
            let columns = [
                padded(tensor.name, to: width), padded(types, to: 12),
                padded("\(tensor.bytes) bytes", to: 16),
                padded(tensor.relativeError.map(Self.percent) ?? "", to: 8),
                productError == nil
                    ? "" : padded(tensor.productError.map(Self.percent) ?? "", to: 8),
                tensor.note ?? "",
            ]
            let line = columns.joined(separator: "  ")
            printLine("  " + line.trimmingCharacters(in: .whitespaces))
        }
        let share = Self.percent(Double(bytesAfter) / Double(max(bytesBefore, 1)))
        let error = relativeError.map { ", error \(Self.percent($0))" } ?? ""
        let product = productError.map { ", of products \(Self.percent($0))" } ?? ""
        printLine("  \(bytesBefore) -> \(bytesAfter) bytes, \(share)\(error)\(product)")
    }

    private static func percent(_ value: Double) -> String {
        String(format: "%.3g %%", value * 100)
    }
}
