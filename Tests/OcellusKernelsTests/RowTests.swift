// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusKernels

/// Norms, activations, element-wise functions and attention against their references.
extension KernelTests {
    @Test
    func `norms of any width`() {
        let pool = ThreadPool(threadCount: 2)
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 11)
            for (rows, columns) in [(1, 1), (3, 7), (2, 16), (5, 97), (4, 768), (200, 1000)] {
                let x = bench.tensor(rows, columns, in: -3...5)
                let (weight, bias) = (bench.vector(columns), bench.vector(columns))
                let (out, expected) = (bench.copy(x), bench.tensor(rows, columns))
                rmsNorm(x, weight: weight, epsilon: 1e-5, into: out, on: pool)
                rmsNormReference(x, weight: weight, epsilon: 1e-5, into: expected)
                expectClose(out, expected, absolute: 1e-6, relative: 2e-6)
                rmsNorm(x, weight: nil, epsilon: 1e-5, into: out, on: pool)
                rmsNormReference(x, weight: nil, epsilon: 1e-5, into: expected)
                expectClose(out, expected, absolute: 1e-6, relative: 2e-6)

                layerNorm(x, weight: weight, bias: bias, epsilon: 1e-6, into: out, on: pool)
                layerNormReference(x, weight: weight, bias: bias, epsilon: 1e-6, into: expected)
                expectClose(out, expected, absolute: 4e-6, relative: 4e-6)
                layerNorm(x, weight: weight, bias: bias, epsilon: 1e-6, into: x, on: pool)
                expectSame(x, out)
            }
        }
    }

    @Test
    func `gated norms of any width`() {
        let pool = ThreadPool(threadCount: 2)
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 12)
            for (rows, columns, groups) in [(1, 6, 3), (3, 96, 4), (70, 1536, 1)] {
                let y = bench.tensor(rows, columns, in: -2...2)
                let gates = bench.tensor(rows, columns + 9, in: -8...8)
                let weight = bench.vector(columns)
                let (out, expected) = (bench.copy(y), bench.copy(y))
                gatedRMSNorm(
                    y,
                    gate: gates,
                    gateOffset: 5,
                    weight: weight,
                    groupCount: groups,
                    epsilon: 1e-5,
                    into: out,
                    on: pool
                )
                gatedRMSNormReference(
                    y,
                    gate: gates,
                    gateOffset: 5,
                    weight: weight,
                    groupCount: groups,
                    epsilon: 1e-5,
                    into: expected
                )
                expectClose(out, expected, absolute: 2e-6, relative: 4e-6)
            }
        }
    }

    @Test(arguments: [
        Activation.none, .relu, .relu6, .silu, .geluErf, .geluTanh, .quickGelu, .sigmoid,
        .hardSwish, .hardSigmoid,
    ])
    func `activations over the line`(activation: Activation) {
        let pool = ThreadPool(threadCount: 2)
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 13)
            for range in [-5...5, -1e-3...1e-3, -30...30, -1e4...1e4] as [ClosedRange<Float>] {
                let x = bench.tensor(3, 1111, in: range)
                let expected = bench.copy(x)
                for index in 0..<x.count {
                    expected.base[index] = activation.reference(x.base[index])
                }
                activate(x, activation, on: pool)
                expectClose(x, expected, absolute: 1e-9, relative: 1e-6, "\(activation)")
            }
            let edges = bench.tensor(rows: 1, columns: 3, [.nan, 1e4, -1e4])
            activate(edges, activation, on: pool)
            #expect(edges[0, 0].isNaN && edges[0, 1].isFinite && edges[0, 2].isFinite)
        }
    }

    @Test
    func `elements add, scale and subtract`() {
        let pool = ThreadPool(threadCount: 2)
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 14)
            for (rows, columns) in [(1, 1), (3, 37), (300, 700)] {
                let (a, b) = (bench.tensor(rows, columns), bench.tensor(rows, columns))
                let row = bench.vector(columns)
                let (sum, product, difference) = (bench.copy(a), bench.copy(a), bench.copy(a))
                add(b, into: sum, on: pool)
                addRow(row, into: sum, on: pool)
                multiply(b, into: product, on: pool)
                scaleColumns(row, into: product, on: pool)
                subtract(difference, b, into: difference)
                var isRight = true
                for r in 0..<rows {
                    for c in 0..<columns {
                        isRight = isRight && sum[r, c] == a[r, c] + b[r, c] + row[c]
                        isRight = isRight && product[r, c] == a[r, c] * b[r, c] * row[c]
                        isRight = isRight && difference[r, c] == a[r, c] - b[r, c]
                    }
                }
                #expect(isRight)
            }
        }
    }

    @Test
    func `softmax sums to one without overflow`() {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 15)
            for (columns, range) in [(1, -1...1), (5, -100...100), (50, -1e4...1e4), (777, -9...9)]
                as [(Int, ClosedRange<Float>)]
            {
                let x = bench.tensor(2, columns, in: range)
                let expected = bench.copy(x)
                softmax(x)
                softmaxReference(expected)
                expectClose(x, expected, absolute: 1e-7, relative: 1e-5)
            }
        }
    }

    @Test
    func `argmax is the first of the greatest`() {
        let bench = Workbench(seed: 16)
        #expect(argmax(bench.tensor(rows: 1, columns: 4, [1, 3, 3, 2])) == 1)
        #expect(argmax(bench.tensor(rows: 2, columns: 2, [.nan, -7, -3, .nan])) == 2)
        #expect(argmax(bench.tensor(rows: 1, columns: 2, [.nan, .nan])) == 0)
        #expect(argmax(bench.tensor(rows: 1, columns: 2, [-.infinity, -.infinity])) == 0)
    }

    @Test
    func `attention of any shape`() {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 17)
            // With the last, scores are 1e12: all of the weight is on one token.
            for (tokens, heads, width, most) in [
                (1, 1, 1, 3), (7, 2, 5, 3), (49, 3, 8, 3), (109, 1, 16, 3), (130, 2, 72, 3),
                (217, 1, 9, 3), (300, 1, 290, 3), (577, 1, 24, 3), (49, 2, 32, 1e6),
            ] as [(Int, Int, Int, Float)] {
                let (q, k, v) = (
                    bench.tensor(tokens, heads * width, in: -most...most),
                    bench.tensor(tokens, heads * width, in: -most...most),
                    bench.tensor(tokens, heads * width)
                )
                let expected = bench.tensor(tokens, heads * width)
                attentionReference(query: q, key: k, value: v, headCount: heads, into: expected)
                var first: Tensor?
                for threadCount in 1...3 {
                    let pool = ThreadPool(threadCount: threadCount)
                    let scratch = bench.bytes(
                        attentionScratchByteCount(tokens: tokens, threadCount: threadCount)
                    )
                    let out = bench.tensor(tokens, heads * width)
                    attention(
                        query: q,
                        key: k,
                        value: v,
                        headCount: heads,
                        into: out,
                        scratch: scratch,
                        on: pool
                    )
                    expectClose(out, expected, absolute: 2e-6, relative: 1e-5)
                    expectSame(out, first ?? out)
                    first = out
                }
            }
        }
    }
}
