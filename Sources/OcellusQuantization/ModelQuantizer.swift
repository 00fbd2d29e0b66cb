// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// Writes a model with smaller weights.
///
///     let file = try ModelFile(path: "decoder.gguf")
///     let plan = try QuantizationPlan(for: file, type: .q8_0)
///     let errors = try ModelQuantizer(plan).write(file, to: "small.gguf")
///
/// Some rows are in memory at a time, and the pages of the original are given back tensor by tensor:
/// the size of the model does not matter. The bytes do not depend on the count of threads.
public struct ModelQuantizer {
    /// How many bytes of values are in memory at a time.
    private static let portion = 8 << 20

    private let plan: QuantizationPlan
    private let threadCount: Int
    /// Per tensor, how much the square of an error in each column counts.
    private let importance: [String: [Float]]

    /// A quantiser for the file that the plan was made for.
    ///
    /// - Parameters:
    ///   - plan: What happens to each tensor.
    ///   - threadCount: How many threads compute.
    ///   - importance: Per tensor, how much the square of an error in each column counts: the mean
    ///     square of the inputs that meet it. Tensors without have all columns alike.
    public init(
        _ plan: QuantizationPlan,
        threadCount: Int = 1,
        importance: [String: [Float]] = [:]
    ) {
        self.plan = plan
        self.threadCount = threadCount
        self.importance = importance
    }

    /// Writes the new file, atomically; until then it is `PATH.partial`, which is begun anew if a process
    /// that died has left one.
    ///
    /// - Parameters:
    ///   - file: The original.
    ///   - path: The file to write; it is there when all is done.
    ///   - progress: Called after each tensor with its place in the plan and its error.
    ///   - betweenPortions: Called every few megabytes; what it throws ends the work.
    ///   - completion: Called when all is written, before the file is put in its place, which it is not
    ///     if this throws.
    /// - Returns: Per tensor, the errors.
    /// - Throws: `ModelFileError`, `QuantizationError.notFinite` and `.beyondHalf`; the target is then
    ///   as it was.
    public func write(
        _ file: borrowing ModelFile,
        to path: String,
        progress: (Int, QuantizationErrorSums) -> Void = { _, _ in },
        betweenPortions: () throws -> Void = {},
        completion: () throws -> Void = {}
    ) throws -> [QuantizationErrorSums] {
        var writer = try ModelFileWriter(
            path: path,
            header: try header(of: file),
            goingOnAfter: nil
        )
        var errors: [QuantizationErrorSums] = []
        for (index, step) in plan.steps.enumerated() {
            let sums = try write(step, of: file, with: &writer, betweenPortions)
            file.release(step.tensor)
            errors.append(sums)
            progress(index, sums)
        }
        try completion()
        try writer.finish()
        return errors
    }

    /// The header of the original, with the new types.
    private func header(of file: borrowing ModelFile) throws -> ModelHeader {
        var header = ModelHeader(architecture: file.architecture)
        var own = ["general.architecture"]
        if plan.type != nil { own += ["general.file_type", "general.quantization_version"] }
        for entry in file.metadata where !own.contains(entry.key) {
            let isAlignment = entry.key == "general.alignment"
            header.add(
                entry.key,
                isAlignment ? .uint32(UInt32(file.alignment)) : try file.storedValue(of: entry)
            )
        }
        if let type = plan.type {
            header.add("general.file_type", .uint32(type.fileType))
            header.add("general.quantization_version", .uint32(2))
        }
        for step in plan.steps {
            header.addTensor(step.tensor.name, type: step.type, shape: step.tensor.shape)
        }
        return header
    }

    private func write(
        _ step: QuantizationPlan.Step,
        of file: borrowing ModelFile,
        with writer: inout ModelFileWriter,
        _ betweenPortions: () throws -> Void
    ) throws -> QuantizationErrorSums {
        try betweenPortions()
        guard !step.isCopy, let type = step.type.weightType else {
            try copy(step.tensor, of: file, with: &writer)
            return QuantizationErrorSums()
        }
        let matrix = try file.matrix(step.tensor.name)
        let rowCount = Self.rowCount(ofColumns: matrix.columns)
        if step.isRearranged {
            try rearrange(step.tensor, to: type, rowCount: rowCount, of: file, with: &writer)
            return QuantizationErrorSums()
        }
        var sums = QuantizationErrorSums()
        for start in stride(from: 0, to: matrix.rows, by: rowCount) {
            try betweenPortions()
            let rows = RowsQuantizer(
                rows: matrix.rows(start..<min(start + rowCount, matrix.rows)),
                type: type.plain,
                importance: importance[step.tensor.name]
            )
            rows.run(threadCount: threadCount)
            if let fault = rows.fault {
                throw error(fault, in: step.tensor, from: start, path: file.path)
            }
            sums.add(rows.errors)
            let bytes = UnsafeRawBufferPointer(rows.bytes)
            if type.isInterleaved {
                let blockCount = matrix.columns / type.blockElementCount
                try writer.write(
                    RowInterleaving.packed(bytes, blockCount: blockCount, type: type)
                )
            } else {
                try writer.write(bytes)
            }
        }
        return sums
    }

    /// How many rows are in memory at a time: whole groups.
    private static func rowCount(ofColumns columns: Int) -> Int {
        let groupRowCount = WeightType.groupRowCount
        let rowCount = portion / (columns * MemoryLayout<Float>.size)
        return max(1, rowCount / groupRowCount) * groupRowCount
    }

    /// Writes blocks in another order.
    private func rearrange(
        _ tensor: TensorInfo,
        to type: WeightType,
        rowCount: Int,
        of file: borrowing ModelFile,
        with writer: inout ModelFileWriter
    ) throws {
        let blockCount = tensor.shape[0] / type.blockElementCount
        let byteCount = rowCount * blockCount * type.blockByteCount
        for start in stride(from: 0, to: tensor.byteCount, by: byteCount) {
            let end = min(start + byteCount, tensor.byteCount)
            try writer.write(
                file.withBytes(of: tensor) { bytes in
                    let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                    return type.isInterleaved
                        ? RowInterleaving.packed(part, blockCount: blockCount, type: type)
                        : RowInterleaving.unpacked(part, blockCount: blockCount, type: type)
                }
            )
        }
    }

    /// Copies a tensor in portions.
    private func copy(
        _ tensor: TensorInfo,
        of file: borrowing ModelFile,
        with writer: inout ModelFileWriter
    ) throws {
        for start in stride(from: 0, to: tensor.byteCount, by: Self.portion) {
            let end = min(start + Self.portion, tensor.byteCount)
            try writer.write(file.withBytes(of: tensor) { Array($0[start..<end]) })
        }
    }

    private func error(
        _ fault: RowsQuantizer.Fault,
        in tensor: TensorInfo,
        from start: Int,
        path: String
    ) -> QuantizationError {
        let row = start + fault.row
        guard fault.value.isFinite else {
            return .notFinite(path: path, tensor: tensor.name, row: row, column: fault.column)
        }
        return .beyondHalf(
            path: path,
            tensor: tensor.name,
            row: row,
            column: fault.column,
            value: fault.value
        )
    }
}
