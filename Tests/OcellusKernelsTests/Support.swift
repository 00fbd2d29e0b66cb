// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusKernels

/// All tests of the kernels: in series, as they select the instruction set of the process.
@Suite(.serialized)
struct KernelTests {
    /// Runs a check once per instruction set of this processor.
    static func onEachInstructionSet(_ check: () throws -> Void) rethrows {
        defer { selectInstructionSet(-1) }
        for index in 0..<usableInstructionSetCount {
            selectInstructionSet(index)
            try check()
        }
    }
}

/// Memory for the operands of a test, freed with it, and a seeded source of numbers.
final class Workbench {
    private var blocks: [UnsafeMutableRawPointer] = []
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// Uniform in 0..<2^64 (SplitMix64).
    func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in a range.
    func number(in range: ClosedRange<Float> = -1...1) -> Float {
        let unit = Float(next() >> 40) / Float(1 << 24)
        return range.lowerBound + unit * (range.upperBound - range.lowerBound)
    }

    func bytes(_ count: Int) -> Bytes {
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 64)
        block.initializeMemory(as: UInt8.self, repeating: 0xA5, count: max(count, 1))
        blocks.append(block)
        return unsafe Bytes(base: block, count: count)
    }

    /// Random elements; `guardCount` NaNs behind them would show in any result that reads on.
    func tensor(
        _ rows: Int,
        _ columns: Int,
        in range: ClosedRange<Float> = -1...1
    ) -> Tensor {
        let guardCount = 64
        let count = rows * columns
        let base = bytes((count + guardCount) * 4).base.assumingMemoryBound(to: Float.self)
        for index in 0..<count { base[index] = number(in: range) }
        for index in count..<count + guardCount { base[index] = .nan }
        return unsafe Tensor(rows: rows, columns: columns, base: base)
    }

    func tensor(rows: Int, columns: Int, _ elements: [Float]) -> Tensor {
        precondition(elements.count == rows * columns)
        let result = tensor(rows, columns)
        for index in elements.indices { result.base[index] = elements[index] }
        return result
    }

    func copy(_ source: Tensor) -> Tensor {
        let result = tensor(source.rows, source.columns)
        result.copy(from: source)
        return result
    }

    func vector(_ count: Int, in range: ClosedRange<Float> = -1...1) -> WeightVector {
        unsafe WeightVector(count: count, base: UnsafePointer(tensor(1, count, in: range).base))
    }

    func vector(_ elements: [Float]) -> WeightVector {
        let elements = tensor(rows: 1, columns: elements.count, elements)
        return unsafe WeightVector(count: elements.count, base: UnsafePointer(elements.base))
    }

    /// Random weights in any type, with the values that they stand for.
    func weights(
        _ type: WeightType,
        _ rows: Int,
        _ columns: Int,
        in range: ClosedRange<Float> = -1...1
    ) -> (matrix: WeightMatrix, values: Tensor) {
        let byteCount = rows * columns / type.blockElementCount * type.blockByteCount
        let data = bytes(byteCount + 2).base + 2  // a file gives no alignment
        switch type {
        case .f32:
            for index in 0..<rows * columns {
                data.storeBytes(of: number(in: range), toByteOffset: 4 * index, as: Float.self)
            }
        case .bf16:
            for index in 0..<rows * columns {
                let bits = UInt16(truncatingIfNeeded: number(in: range).bitPattern >> 16)
                data.storeBytes(of: bits, toByteOffset: 2 * index, as: UInt16.self)
            }
        case .f16:
            for index in 0..<rows * columns {
                data.storeBytes(
                    of: Self.half(next(), largest: 15),
                    toByteOffset: 2 * index,
                    as: UInt16.self
                )
            }
        default:
            // Any bytes are a block; only its halves must not be large.
            let halves = Self.offsetsOfHalves(type)
            for block in 0..<byteCount / type.blockByteCount {
                let start = block * type.blockByteCount
                for index in 0..<type.blockByteCount {
                    data.storeBytes(
                        of: UInt8(truncatingIfNeeded: next()),
                        toByteOffset: start + index,
                        as: UInt8.self
                    )
                }
                for offset in halves {
                    data.storeBytes(
                        of: Self.half(next(), largest: type.blockElementCount == 32 ? 10 : 4),
                        toByteOffset: start + offset,
                        as: UInt16.self
                    )
                }
            }
        }
        let matrix = unsafe WeightMatrix(
            type: type,
            rows: rows,
            columns: columns,
            base: UnsafeRawPointer(data)
        )
        if type.isInterleaved { interleaveRows(of: matrix) }
        if type == .q8_row { unifyScales(of: matrix) }
        let values = tensor(rows, columns)
        dequantizeReference(matrix, into: values)
        return (matrix, values)
    }

    /// Gives all blocks of a row the scale of its first.
    private func unifyScales(of w: WeightMatrix) {
        let data = UnsafeMutableRawPointer(mutating: w.base)
        for row in stride(from: 0, to: w.byteCount, by: w.rowByteCount) {
            for block in stride(from: row, to: row + w.rowByteCount, by: w.type.blockByteCount) {
                (data + block).copyMemory(from: data + row, byteCount: 2)
            }
        }
    }

    /// Brings blocks that lie row by row into groups of 16 rows, as their type says.
    func interleaveRows(of w: WeightMatrix) {
        let data = UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer(mutating: w.base),
            count: w.byteCount
        )
        let rows = Array(data)
        let (size, blocks) = (w.type.blockByteCount, w.columns / 32)
        for row in 0..<w.rows / 16 * 16 {
            for block in 0..<blocks {
                let from = (row * blocks + block) * size
                let to = (row / 16 * blocks + block) * 16 * size
                for index in 0..<2 { data[to + row % 16 * 2 + index] = rows[from + index] }
                for index in 0..<size - 2 {
                    let line = to + 32 + index / 4 * 64
                    data[line + row % 16 * 4 + index % 4] = rows[from + 2 + index]
                }
            }
        }
    }

    /// In how many places a block, or an element, can be damaged: its halves, or itself.
    static func faultCount(_ type: WeightType) -> Int { offsetsOfHalves(type).count }

    /// Random weights of which one place in a row has these bits; of F32, the upper half of them all.
    func damagedWeights(
        _ type: WeightType,
        _ rows: Int,
        _ columns: Int,
        _ row: Int,
        _ part: Int,
        _ bits: UInt16
    ) -> WeightMatrix {
        let (plain, _) = weights(type.plain, rows, columns)
        let offset = row * plain.rowByteCount + Self.offsetsOfHalves(type.plain)[part]
        let data = UnsafeMutableRawPointer(mutating: plain.base)
        if type == .f32 {
            data.storeBytes(of: UInt32(bits) << 16, toByteOffset: offset, as: UInt32.self)
        } else {
            data.storeBytes(of: bits, toByteOffset: offset, as: UInt16.self)
        }
        guard type.isInterleaved else { return plain }
        let w = unsafe WeightMatrix(type: type, rows: rows, columns: columns, base: plain.base)
        interleaveRows(of: w)
        return w
    }

    /// Where a block has its scale and its minimum.
    private static func offsetsOfHalves(_ type: WeightType) -> [Int] {
        switch type {
        case .q4_1, .q5_1, .q4_k, .q5_k: [0, 2]
        case .q6_k: [208]
        default: [0]
        }
    }

    /// A half of any sign and fraction, with an exponent field of at most `largest`.
    private static func half(_ random: UInt64, largest: UInt64) -> UInt16 {
        UInt16(random & 0x83FF) | UInt16((random >> 32) % (largest + 1)) << 10
    }
}

/// Checks that two tensors agree to `absolute + relative * |expected|`.
func expectClose(
    _ actual: Tensor,
    _ expected: Tensor,
    absolute: Float = 1e-6,
    relative: Float = 1e-5,
    _ comment: @autoclosure () -> String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(actual.rows == expected.rows && actual.columns == expected.columns)
    for row in 0..<expected.rows {
        for column in 0..<expected.columns {
            let (a, e) = (actual[row, column], expected[row, column])
            if abs(a - e) <= absolute + relative * abs(e) || (a.isNaN && e.isNaN) || a == e {
                continue
            }
            Issue.record(
                """
                [\(row), \(column)] is \(a), expected \(e), \
                \(instructionSetName()) \(comment())
                """,
                sourceLocation: sourceLocation
            )
            return
        }
    }
}

/// Checks that two tensors have the same bits.
func expectSame(
    _ actual: Tensor,
    _ expected: Tensor,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let isSame = (0..<expected.count).allSatisfy {
        actual.base[$0].bitPattern == expected.base[$0].bitPattern
    }
    #expect(isSame, sourceLocation: sourceLocation)
}
