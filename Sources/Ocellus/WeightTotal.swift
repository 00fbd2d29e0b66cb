// SPDX-License-Identifier: Apache-2.0
public import OcellusFormat
internal import OcellusMemory

/// How much of a model's weights has one type, and how the kernels read it.
public struct WeightTotal {
    /// The type.
    public let type: TensorType
    /// The count of tensors.
    public var tensorCount = 0
    /// Their size in bytes.
    public var byteCount = 0

    /// Whether the rows were packed for the kernels when the file was written.
    ///
    /// If not, they are used row by row; all are used where they are mapped.
    public var isPacked: Bool { type.weightType?.isInterleaved == true }

    /// Adds the tensors of a file.
    static func add(_ file: borrowing ModelFile, to totals: inout [WeightTotal]) {
        for tensor in file.tensors {
            var index = 0
            while index < totals.count, totals[index].type != tensor.type { index += 1 }
            if index == totals.count { totals.append(WeightTotal(type: tensor.type)) }
            totals[index].tensorCount += 1
            totals[index].byteCount += tensor.byteCount
        }
    }
}
