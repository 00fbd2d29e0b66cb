// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// A tensor of a checkpoint: what it is and where its elements lie, packed and in C order.
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
        let size = type.byteCount
        let from = UnsafeRawBufferPointer(
            rebasing: file.bytes[
                offset + range.lowerBound * size..<offset + range.upperBound * size
            ]
        )
        switch type {
        case .f32:
            for index in out.indices {
                let bits = from.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                out[index] = Float(bitPattern: UInt32(littleEndian: bits))
            }
        case .f16:
            for index in out.indices {
                let bits = from.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                out[index] = Float(Float16(bitPattern: UInt16(littleEndian: bits)))
            }
        case .bf16:
            for index in out.indices {
                let bits = from.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                out[index] = Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
            }
        case .f64:
            for index in out.indices {
                let bits = from.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
                out[index] = Float(Double(bitPattern: UInt64(littleEndian: bits)))
            }
        case .i64, .i32, .i16, .i8, .u8, .bool:
            preconditionFailure("plans take floating-point tensors only")
        }
    }

    /// Whether another tensor has the same type, shape and bytes.
    func hasBytes(of other: SourceTensor) -> Bool {
        guard type == other.type, shape == other.shape else { return false }
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

    /// Lets the system take back the memory behind elements that were read.
    func release(_ range: Range<Int>) {
        release(bytes: range.lowerBound * type.byteCount..<range.upperBound * type.byteCount)
    }

    private func release(bytes range: Range<Int>) {
        file.release(offset + range.lowerBound..<offset + range.upperBound)
    }
}
