// SPDX-License-Identifier: Apache-2.0

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

    private static func read(_ tensor: SourceTensor, _ range: Range<Int>) -> [Float] {
        defer { tensor.release(range) }
        return [Float](unsafeUninitializedCapacity: range.count) { buffer, count in
            tensor.read(range, into: UnsafeMutableBufferPointer(rebasing: buffer[..<range.count]))
            count = range.count
        }
    }
}
