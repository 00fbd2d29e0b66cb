// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// A tensor of a checkpoint: what it is and where its elements lie.
public struct SourceTensor {
    /// The whole name in the checkpoint, for messages.
    public let name: String
    /// The type of the elements.
    public let type: ElementType
    /// The dimensions as PyTorch writes them: the last varies fastest.
    public let shape: [Int]
    let file: MappedFile
    /// Where the elements begin in the file, at any alignment.
    let offset: Int
    /// How many elements it is to the next one in each dimension; nil where they are packed in C order.
    ///
    /// PyTorch saves a transposed matrix as a view of the one that it was made of.
    var strides: [Int]?

    /// The file that holds it.
    public var path: String { file.path }
    /// The count of elements.
    public var elementCount: Int { shape.reduce(1, *) }
    /// The size in bytes.
    public var byteCount: Int { elementCount * type.byteCount }

    /// Reads elements as `Float`; F64 is rounded.
    ///
    /// - Parameters:
    ///   - range: Which elements, in C order.
    ///   - out: As many elements.
    func read(_ range: Range<Int>, into out: UnsafeMutableBufferPointer<Float>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= elementCount)
        precondition(out.count == range.count)
        guard let strides else {
            for index in out.indices {
                out[index] = element(range.lowerBound + index)
            }
            return
        }
        // The place of the first element, then on like a clockwork.
        var index = shape
        var rest = range.lowerBound
        for axis in shape.indices.reversed() {
            index[axis] = rest % shape[axis]
            rest /= shape[axis]
        }
        var place = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
        for position in out.indices {
            out[position] = element(place)
            for axis in shape.indices.reversed() {
                index[axis] += 1
                place += strides[axis]
                if index[axis] < shape[axis] { break }
                place -= index[axis] * strides[axis]
                index[axis] = 0
            }
        }
    }

    /// The element at a place behind the first one, in elements.
    private func element(_ place: Int) -> Float {
        let start = offset + place * type.byteCount
        switch type {
        case .f32:
            let bits = file.bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)
            return Float(bitPattern: UInt32(littleEndian: bits))
        case .f16:
            let bits = file.bytes.loadUnaligned(fromByteOffset: start, as: UInt16.self)
            return Float(Float16(bitPattern: UInt16(littleEndian: bits)))
        case .bf16:
            let bits = file.bytes.loadUnaligned(fromByteOffset: start, as: UInt16.self)
            return Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
        case .f64:
            let bits = file.bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            return Float(Double(bitPattern: UInt64(littleEndian: bits)))
        case .i64, .i32, .i16, .i8, .u8, .bool:
            preconditionFailure("plans take floating-point tensors only")
        }
    }

    /// Whether another tensor has the same type, shape and bytes, in the same order.
    func hasBytes(of other: SourceTensor) -> Bool {
        guard type == other.type, shape == other.shape, strides == other.strides else {
            return false
        }
        if file === other.file, offset == other.offset { return true }
        let portion = 16 << 20
        for start in stride(from: 0, to: byteCount, by: portion) {
            let end = min(start + portion, byteCount)
            guard
                file.bytes[offset + start..<offset + end]
                    .elementsEqual(other.file.bytes[other.offset + start..<other.offset + end])
            else { return false }
            release(bytes: start..<end)
            other.release(bytes: start..<end)
        }
        return true
    }

    /// Lets the system take back the memory behind elements that were read; those of a view lie all over
    /// it, and are kept until its last one.
    func release(_ range: Range<Int>) {
        guard strides == nil else {
            if range.upperBound == elementCount { release(bytes: 0..<byteCount) }
            return
        }
        release(bytes: range.lowerBound * type.byteCount..<range.upperBound * type.byteCount)
    }

    private func release(bytes range: Range<Int>) {
        file.release(offset + range.lowerBound..<offset + range.upperBound)
    }
}
