// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat
import OcellusMemory
import OcellusQuantization

/// Writes the file that a plan describes.
///
/// Some rows are in memory at a time, or the whole tensors of a `computed` mapping; pages of the
/// checkpoint are given back as soon as they are read. The bytes do not depend on the count of threads.
///
/// The file appears whole or not at all. Until then it is `PATH.partial`, with `PATH.partial.state`
/// beside it; an error removes both. If the process is killed or asked to stop they stay, and the same
/// conversion goes on with the first tensor that was not durable.
public struct ModelConverter {
    /// How many bytes of `Float` are in memory at a time.
    private static let portion = 8 << 20
    /// How many bytes are written between two points from which a conversion can go on.
    private static let resumeInterval = 256 << 20

    private let plan: ConversionPlan
    private let path: String
    private let threadCount: Int
    private let resumePoint: ResumePoint

    /// A converter for one file.
    ///
    /// - Parameters:
    ///   - plan: What to write.
    ///   - path: Where.
    ///   - threadCount: How many threads compute.
    /// - Throws: `ModelFileError.unwritable` if the plan makes no valid file.
    public init(_ plan: ConversionPlan, to path: String, threadCount: Int = 1) throws {
        self.plan = plan
        self.path = path
        self.threadCount = threadCount
        let files = Set(plan.steps.flatMap { $0.sources.map(\.path) })
        resumePoint = ResumePoint(
            for: path,
            header: try plan.header.fingerprint(path: path),
            files: files.sorted()
        )
    }

    /// The count of tensors that an interrupted conversion has left behind.
    public var completeTensorCount: Int {
        min(resumePoint.load() ?? 0, plan.steps.count)
    }

    /// How many bytes of the disk the conversion still takes: an interrupted one has taken some, which are
    /// kept or written anew.
    public var remainingByteCount: Int {
        let partial = try? FileManager.default.attributesOfItem(atPath: path + ".partial")
        let taken = (partial?[.size] as? NSNumber)?.intValue ?? 0
        return max(plan.byteCount - taken, 0)
    }

    /// Writes the partial file, all of it unless it is asked to stop.
    ///
    /// If it stops before the first tensor is complete, no partial file is left.
    ///
    /// - Parameters:
    ///   - isStopped: Asked every few megabytes whether to stop.
    ///   - progress: Called after each tensor with its place in the plan and its error.
    /// - Returns: Whether the file is complete.
    /// - Throws: `ConversionError.badWeight`, `ModelFileError.cannotWrite`.
    @discardableResult
    public func write(
        isStopped: () -> Bool = { false },
        progress: (Int, QuantizationErrorSums) -> Void
    ) throws -> Bool {
        var writer = try ModelFileWriter(
            path: path,
            header: plan.header,
            goingOnAfter: resumePoint.load()
        )
        do {
            try write(to: &writer, isStopped: isStopped, progress: progress)
            guard writer.completeTensorCount > 0 else {
                // The writer removes the partial file.
                resumePoint.remove()
                return false
            }
            try writer.synchronize()
            try resumePoint.save(tensorCount: writer.completeTensorCount)
        } catch {
            // As above.
            resumePoint.remove()
            throw error
        }
        let isComplete = writer.completeTensorCount == plan.steps.count
        writer.suspend()
        return isComplete
    }

    /// Puts the complete partial file in its place.
    ///
    /// - Throws: `ModelFileError.cannotWrite`.
    public func commit() throws {
        let writer = try ModelFileWriter(
            path: path,
            header: plan.header,
            goingOnAfter: plan.steps.count
        )
        try writer.finish()
        resumePoint.remove()
    }

    /// Removes the complete partial file.
    public func discard() {
        try? FileManager.default.removeItem(atPath: path + ".partial")
        resumePoint.remove()
    }

    private func write(
        to writer: inout ModelFileWriter,
        isStopped: () -> Bool,
        progress: (Int, QuantizationErrorSums) -> Void
    ) throws {
        var unsafeByteCount = 0
        for index in writer.completeTensorCount..<plan.steps.count {
            let step = plan.steps[index]
            guard let sums = try write(step, to: &writer, isStopped: isStopped) else { return }
            progress(index, sums)
            unsafeByteCount += step.byteCount
            if unsafeByteCount >= Self.resumeInterval {
                try writer.synchronize()
                try resumePoint.save(tensorCount: index + 1)
                unsafeByteCount = 0
            }
        }
    }

    /// Writes a tensor, and returns its error; nil if it was asked to stop.
    private func write(
        _ step: ConversionPlan.Step,
        to writer: inout ModelFileWriter,
        isStopped: () -> Bool
    ) throws -> QuantizationErrorSums? {
        let elements = TensorElements(step)
        var sums = QuantizationErrorSums()
        let rowCount = max(1, Self.portion / (step.columns * MemoryLayout<Float>.size))
        for start in stride(from: 0, to: step.rows, by: rowCount) {
            if isStopped() { return nil }
            let range = start..<min(start + rowCount, step.rows)
            let values = elements.read(
                range.lowerBound * step.columns..<range.upperBound * step.columns
            )
            let rows = try round(values, rowCount: range.count, for: step)
            if let fault = rows.fault {
                let index = (start + fault.row) * step.columns + fault.column
                throw elements.fault(at: index, value: fault.value)
            }
            sums.add(rows.errors)
            try writer.write(UnsafeRawBufferPointer(rows.bytes))
        }
        return sums
    }

    private func round(
        _ values: [Float],
        rowCount: Int,
        for step: ConversionPlan.Step
    ) throws -> RowsQuantizer {
        try values.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else {
                throw ModelFileError.unwritable(
                    path: path,
                    what: "the tensor '\(step.mapping.name)' has no elements"
                )
            }
            let matrix = unsafe WeightMatrix(
                type: .f32,
                rows: rowCount,
                columns: step.columns,
                base: base
            )
            let rows = RowsQuantizer(rows: matrix, type: step.type)
            rows.run(threadCount: threadCount)
            return rows
        }
    }
}
