// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusKernels

/// Weights that are infinite or no numbers, as a damaged file has them: their outputs are NaN, which goes
/// through all that follows. An infinity would not: an activation may take it for its limit.
extension KernelTests {
    /// An infinity of each sign, and NaN, as the upper half of a float's bits or as a half.
    private static func faults(_ type: WeightType) -> [UInt16] {
        type == .f32 || type == .bf16 ? [0x7F80, 0xFF80, 0x7FC0] : [0x7C00, 0xFC00, 0x7E00]
    }

    /// Few tokens and many, rows that are computed with others and one that is left over.
    @Test(arguments: types)
    func `a damaged weight makes its row no number, and no other`(type: WeightType) {
        let pool = ThreadPool(threadCount: 1)
        let columns = type.blockElementCount == 256 ? 256 : 288  // eight blocks at once and one
        Self.onEachInstructionSet {
            for (row, tokens) in [(18, 1), (34, 1), (3, 3), (34, 4), (18, 5), (34, 20), (18, 70)] {
                for fault in Self.faults(type) {
                    for part in 0..<Workbench.faultCount(type) {
                        let bench = Workbench(seed: 9)
                        let w = bench.damagedWeights(type, 35, columns, row, part, fault)
                        let (x, out) = (bench.tensor(tokens, columns), bench.tensor(tokens, 35))
                        let scratch = bench.bytes(
                            matMulScratchByteCount(tokens: tokens, columns: columns)
                        )
                        matMul(w, x, into: out, scratch: scratch, on: pool)
                        let isRight = (0..<tokens).allSatisfy { token in
                            (0..<35).allSatisfy {
                                $0 == row ? out[token, $0].isNaN : out[token, $0].isFinite
                            }
                        }
                        #expect(
                            isRight,
                            """
                            \(instructionSetName()) \(type.name), \(tokens) tokens, \
                            part \(part) \(String(fault, radix: 16)): \(out[0, row])
                            """
                        )
                    }
                }
            }
        }
    }

    @Test
    func `a row of Q8_row with another scale is no number, and no other`() {
        let pool = ThreadPool(threadCount: 1)
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 10)
            let (w, _) = bench.weights(.q8_row, 35, 96)
            let data = UnsafeMutableRawPointer(mutating: w.base)
            for (row, block, scale) in [(3, 1, 0x1234), (18, 2, 0x7C00), (34, 0, 0x7C00)] {
                let offset = (row * 3 + block) * 34
                data.storeBytes(of: UInt16(scale), toByteOffset: offset, as: UInt16.self)
            }
            let (x, out) = (bench.tensor(9, 96), bench.tensor(9, 35))
            let scratch = bench.bytes(matMulScratchByteCount(tokens: 9, columns: 96))
            matMul(w, x, into: out, scratch: scratch, on: pool)
            for column in 0..<35 {
                #expect(out[4, column].isNaN == [3, 18, 34].contains(column))
            }
        }
    }

    @Test
    func `a damaged weight of a depthwise convolution makes its channel no number, and no other`() {
        let pool = ThreadPool(threadCount: 1)
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 11)
            let (x, out) = (bench.tensor(6 * 5, 19), bench.tensor(6 * 5, 19))
            let weight = bench.tensor(9, 19)
            weight[4, 2] = .infinity
            weight[4, 17] = -.infinity
            depthwiseConv2D(
                x,
                weight: weight,
                bias: nil,
                geometry: .pytorch(height: 6, width: 5, kernel: 3, stride: 1, padding: 1),
                activation: .relu6,
                into: out,
                on: pool
            )
            for pixel in 0..<out.rows {
                for channel in 0..<19 {
                    #expect(out[pixel, channel].isNaN == [2, 17].contains(channel))
                }
            }
        }
    }
}
