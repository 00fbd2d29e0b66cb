// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusKernels

extension KernelTests {
    static let types: [WeightType] = [
        .f32, .f16, .bf16, .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .q4_k, .q5_k, .q6_k, .q8_0x16,
        .q4_0x16, .q8_row,
    ]

    /// A count of columns rounded up to whole blocks.
    private static func whole(_ type: WeightType, _ columns: Int) -> Int {
        let size = type.blockElementCount
        return (columns + size - 1) / size * size
    }

    @Test(arguments: types)
    func `a product is the sum of its terms`(type: WeightType) {
        let pool = ThreadPool(threadCount: 2)
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 1)
            for (tokens, rows, columns) in [
                (1, 1, 32), (1, 80, 1536), (1, 37, 96), (2, 16, 64), (3, 5, 32), (4, 33, 288),
                (5, 64, 64), (7, 17, 1056), (13, 100, 320), (31, 130, 96), (200, 30, 32),
                (12, 31, 832), (253, 20, 64), (400, 48, 64),
            ] {
                check(
                    bench,
                    type,
                    tokens: tokens,
                    rows: rows,
                    columns: Self.whole(type, columns),
                    on: pool
                )
            }
        }
    }

    @Test(arguments: [WeightType.f32, .f16, .bf16])
    func `a product takes any count of columns`(type: WeightType) {
        let pool = ThreadPool(threadCount: 2)
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 2)
            for (tokens, rows, columns) in [
                (1, 3, 1), (1, 9, 27), (1, 50, 48), (2, 6, 31), (5, 1, 3), (9, 70, 17),
                (26, 33, 259), (65, 40, 27), (12, 64, 513),
            ] {
                check(bench, type, tokens: tokens, rows: rows, columns: columns, on: pool)
            }
        }
    }

    private func check(
        _ bench: Workbench,
        _ type: WeightType,
        tokens: Int,
        rows: Int,
        columns: Int,
        on pool: borrowing ThreadPool
    ) {
        let (w, values) = bench.weights(type, rows, columns)
        let x = bench.tensor(tokens, columns)
        let bias = bench.vector(rows)
        let scratch = bench.bytes(matMulScratchByteCount(tokens: tokens, columns: columns))
        let out = bench.tensor(tokens, rows)
        let residual = bench.tensor(tokens, rows)
        let sum = bench.copy(residual)
        let expected = bench.tensor(tokens, rows)
        // The kernels must equal the exact product with the activations as they round them.
        let rounded =
            switch type {
            case .f16 where takesPairs(type, tokens: tokens, columns: columns): inF16(x, bench)
            case .bf16 where takesPairs(type, tokens: tokens, columns: columns): inBF16(x, bench)
            case .f32, .f16, .bf16: x
            case .q8_row where tokens > 3: quantized(x, inBlocksOf: columns, bench)
            default: quantized(x, inBlocksOf: 32, bench)
            }
        matMulReference(values, rounded, bias: bias, into: expected)

        matMul(w, x, bias: bias, into: out, scratch: scratch, on: pool)
        let shape = "\(type.name) \(tokens)x\(rows)x\(columns)"
        // Cancellation: the error is relative to the sum of magnitudes. Sums of 32 products in
        // halves are off by 9e-4 of the standard deviation of a whole sum; up to 5e-3 were seen.
        let scale = Float(columns).squareRoot() * (type.blockElementCount == 1 ? 1 : 10)
        let sumsHalves = type == .f16 && takesPairs(type, tokens: tokens, columns: columns)
        let absolute = (sumsHalves ? 6e-3 : 4e-6) * scale
        expectClose(out, expected, absolute: absolute, relative: 1e-5, shape)

        addMatMul(w, x, bias: bias, into: sum, scratch: scratch, on: pool)
        for row in 0..<tokens {
            for column in 0..<rows { expected[row, column] += residual[row, column] }
        }
        expectClose(sum, expected, absolute: absolute, relative: 1e-5, "+= \(shape)")
    }

    /// Whether the chosen set multiplies pairs of weights by pairs of activations of their type.
    private func takesPairs(_ type: WeightType, tokens: Int, columns: Int) -> Bool {
        instructionSetName() == (type == .bf16 ? "avx512-bf16" : "neon-fp16")
            && tokens > 4 && columns % 2 == 0
    }

    /// The activations after rounding to halves.
    private func inF16(_ x: Tensor, _ bench: Workbench) -> Tensor {
        let result = bench.copy(x)
        for row in 0..<x.rows {
            for column in 0..<x.columns { result[row, column] = Float(Float16(x[row, column])) }
        }
        return result
    }

    /// The activations after rounding to bf16, to nearest even.
    private func inBF16(_ x: Tensor, _ bench: Workbench) -> Tensor {
        let result = bench.copy(x)
        for row in 0..<x.rows {
            for column in 0..<x.columns {
                let bits = x[row, column].bitPattern
                let half = 0x7FFF + (bits >> 16 & 1)
                result[row, column] = Float(bitPattern: (bits + half) & 0xFFFF_0000)
            }
        }
        return result
    }

    /// The activations after rounding to int8 in blocks.
    private func quantized(
        _ x: Tensor,
        inBlocksOf size: Int,
        _ bench: Workbench
    ) -> Tensor {
        let result = bench.copy(x)
        for row in 0..<x.rows {
            for first in stride(from: 0, to: x.columns, by: size) {
                let block = first..<first + size
                let magnitude = block.map { abs(x[row, $0]) }.max() ?? 0
                for column in block where magnitude > 0 {
                    let steps = (x[row, column] * (127 / magnitude)).rounded(.toNearestOrEven)
                    result[row, column] = steps * (magnitude / 127)
                }
            }
        }
        return result
    }

    @Test(arguments: types)
    func `rows of weights read as floats`(type: WeightType) {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 3)
            let columns = Self.whole(type, 700)
            let (w, values) = bench.weights(type, 37, columns)
            let all = bench.tensor(37, columns)
            dequantize(w, into: all)
            expectSame(all, values)
            let one = bench.tensor(1, columns)
            for row in [0, 5, 31, 35] {
                dequantizeRow(w, row: row, into: one)
                expectSame(one, values.rows(row..<row + 1))
            }
        }
    }

    @Test(arguments: [WeightType.q8_0x16, .q4_0x16])
    func `interleaved rows are those of the plain type`(type: WeightType) {
        let (bench, plainBench) = (Workbench(seed: 8), Workbench(seed: 8))
        let (w, values) = bench.weights(type, 43, 96)
        expectSame(values, plainBench.weights(type.plain, 43, 96).values)
        for range in [0..<16, 16..<32, 0..<43, 32..<43] {
            let part = bench.tensor(range.count, 96)
            dequantize(w.rows(range), into: part)
            expectSame(part, values.rows(range))
        }
    }

    @Test
    func `every half is read as its value`() {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 4)
            let data = bench.bytes(65536 * 2)
            for bits in 0..<65536 {
                data.base.storeBytes(of: UInt16(bits), toByteOffset: 2 * bits, as: UInt16.self)
            }
            let w = unsafe WeightMatrix(
                type: .f16,
                rows: 256,
                columns: 256,
                base: UnsafeRawPointer(data.base)
            )
            let (actual, expected) = (bench.tensor(256, 256), bench.tensor(256, 256))
            dequantize(w, into: actual)
            dequantizeReference(w, into: expected)
            expectClose(actual, expected, absolute: 0, relative: 0)
        }
    }

    @Test(arguments: types)
    func `extreme activations give extreme results, not wrong ones`(type: WeightType) {
        let pool = ThreadPool(threadCount: 1)
        Self.onEachInstructionSet {
            for tokens in [1, 20] {
                let bench = Workbench(seed: 5)
                let columns = Self.whole(type, 64)
                let (w, _) = bench.weights(type, 20, columns)
                let x = bench.tensor(tokens, columns)
                let out = bench.tensor(tokens, 20)
                let scratch = bench.bytes(
                    matMulScratchByteCount(tokens: tokens, columns: columns)
                )
                x.fill(0)
                matMul(w, x, into: out, scratch: scratch, on: pool)
                for row in 0..<tokens {
                    for column in 0..<20 { #expect(out[row, column] == 0) }
                }
                x.fill(.leastNonzeroMagnitude)
                matMul(w, x, into: out, scratch: scratch, on: pool)
                for row in 0..<tokens {
                    for column in 0..<20 { #expect(abs(out[row, column]) < 1e-37) }
                }
                x.fill(1)
                x[0, 40] = .nan
                matMul(w, x, into: out, scratch: scratch, on: pool)
                for column in 0..<20 { #expect(out[0, column].isNaN) }
                if tokens > 1 { #expect(out[1, 3].isFinite) }
            }
        }
    }

    @Test(arguments: [WeightType.q8_0, .q8_0x16, .q8_row])
    func `the greatest bytes do not saturate`(type: WeightType) {
        let pool = ThreadPool(threadCount: 1)
        Self.onEachInstructionSet {
            for tokens in [1, 9] {
                let bench = Workbench(seed: 6)
                let (w, _) = bench.weights(type, 20, 768)
                let data = UnsafeMutableRawPointer(mutating: w.base)
                for row in 0..<20 {
                    for block in 0..<24 {
                        let offset = (row * 24 + block) * 34
                        data.storeBytes(of: 0x3C00, toByteOffset: offset, as: UInt16.self)  // 1
                        for index in 2..<34 {
                            data.storeBytes(of: -128, toByteOffset: offset + index, as: Int8.self)
                        }
                    }
                }
                if type.isInterleaved { bench.interleaveRows(of: w) }
                let x = bench.tensor(tokens, 768)
                let out = bench.tensor(tokens, 20)
                let scratch = bench.bytes(matMulScratchByteCount(tokens: tokens, columns: 768))
                for value: Float in [127, -127] {
                    x.fill(value)
                    matMul(w, x, into: out, scratch: scratch, on: pool)
                    for row in 0..<tokens {
                        for column in 0..<20 { #expect(out[row, column] == -128 * 768 * value) }
                    }
                }
            }
        }
    }

    @Test(arguments: types)
    func `the count of threads changes no bit of a product`(type: WeightType) {
        for (tokens, rows, count) in [(1, 500, 512), (3, 200, 512), (300, 130, 96)] {
            let columns = Self.whole(type, count)
            let bench = Workbench(seed: 7)
            let (w, _) = bench.weights(type, rows, columns)
            let x = bench.tensor(tokens, columns)
            let scratch = bench.bytes(matMulScratchByteCount(tokens: tokens, columns: columns))
            let alone = bench.tensor(tokens, rows)
            matMul(w, x, into: alone, scratch: scratch, on: ThreadPool(threadCount: 1))
            for threadCount in 2...3 {
                let pool = ThreadPool(threadCount: threadCount)
                for _ in 0..<5 {
                    let out = bench.tensor(tokens, rows)
                    matMul(w, x, into: out, scratch: scratch, on: pool)
                    expectSame(out, alone)
                }
            }
        }
    }
}
