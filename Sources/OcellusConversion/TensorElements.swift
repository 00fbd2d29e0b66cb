// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// The elements of one tensor to be written, read in ascending portions.
struct TensorElements {
    private let step: ConversionPlan.Step
    /// The elements of a `computed` tensor.
    private let computed: [Float]

    /// Computes what can only be computed whole.
    init(_ step: ConversionPlan.Step) {
        self.step = step
        guard case .computed(_, let body) = step.mapping.content else {
            computed = []
            return
        }
        computed = body(step.sources.map { Self.read($0, 0..<$0.elementCount) })
        precondition(computed.count == step.rows * step.columns, "\(step.mapping.name)")
    }

    /// The elements of a range.
    func read(_ range: Range<Int>) -> [Float] {
        switch step.mapping.content {
        case .computed:
            return Array(computed[range])
        case .slice(_, let slice):
            let start = slice.lowerBound
            return Self.read(step.sources[0], start + range.lowerBound..<start + range.upperBound)
        case .elements(_, let change):
            var values: [Float] = []
            values.reserveCapacity(range.count)
            var start = 0
            for source in step.sources {
                let part = range.clamped(to: start..<start + source.elementCount)
                if !part.isEmpty {
                    values += Self.read(source, part.lowerBound - start..<part.upperBound - start)
                }
                start += source.elementCount
            }
            for index in values.indices { values[index] = change(values[index]) }
            return values
        }
    }

    /// The error for an element that its type cannot hold: it names the tensor of the checkpoint that the
    /// value is in, or all that it is computed of.
    func fault(at index: Int, value: Float) -> ConversionError {
        let own =
            switch step.mapping.content {
            case .computed(let sources, _): computedFault(of: sources)
            case .slice(_, let slice): fault(of: 0, at: slice.lowerBound + index, value)
            case .elements: elementFault(at: index, value)
            }
        return own
            ?? .badResult(
                path: step.sources.first?.path ?? "",
                tensor: step.mapping.name,
                sources: step.sources.map(\.name),
                index: index,
                value: value,
                type: step.type.name
            )
    }

    /// The first value of the sources that nothing can be computed of.
    private func computedFault(of sources: [TensorMapping.Source]) -> ConversionError? {
        for (tensor, source) in zip(step.sources, sources) {
            for (index, value) in Self.read(tensor, 0..<tensor.elementCount).enumerated() {
                if !value.isFinite { return weightFault(of: tensor, at: index, value) }
                if source.isVariance, value < 0 {
                    return .badVariance(
                        path: tensor.path,
                        tensor: tensor.name,
                        index: index,
                        value: value
                    )
                }
            }
        }
        return nil
    }

    private func elementFault(at index: Int, _ value: Float) -> ConversionError? {
        var start = 0
        for (number, source) in step.sources.enumerated() {
            if index < start + source.elementCount {
                return fault(of: number, at: index - start, value)
            }
            start += source.elementCount
        }
        return nil
    }

    /// The error for an element of a source, or nil if only what it becomes cannot be held.
    private func fault(of number: Int, at index: Int, _ value: Float) -> ConversionError? {
        let source = step.sources[number]
        let own = Self.read(source, index..<index + 1)[0]
        return own.isFinite && own != value ? nil : weightFault(of: source, at: index, own)
    }

    private func weightFault(
        of tensor: SourceTensor,
        at index: Int,
        _ value: Float
    ) -> ConversionError {
        .badWeight(
            path: tensor.path,
            tensor: tensor.name,
            index: index,
            value: value,
            type: step.type.name
        )
    }

    private static func read(_ tensor: SourceTensor, _ range: Range<Int>) -> [Float] {
        defer { tensor.release(range) }
        return [Float](unsafeUninitializedCapacity: range.count) { buffer, count in
            tensor.read(range, into: UnsafeMutableBufferPointer(rebasing: buffer[..<range.count]))
            count = range.count
        }
    }
}
