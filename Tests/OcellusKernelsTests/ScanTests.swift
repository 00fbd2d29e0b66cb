// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusKernels

/// The recurrences against their references.
extension KernelTests {
    @Test
    func `causal convolutions of any shape`() {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 31)
            for (tokens, channels, taps) in [
                (1, 1, 4), (1, 100, 4), (2, 33, 4), (3, 16, 4), (9, 70, 4), (5, 20, 1),
                (6, 7, 2), (300, 48, 5),
            ] {
                let x = bench.tensor(tokens, channels + 11)
                let (weight, values) = bench.weights(.f32, channels, taps)
                let bias = bench.vector(channels)
                let history = bench.tensor(taps - 1, channels)
                let expected = bench.tensor(tokens, channels)
                let expectedHistory = bench.copy(history)
                causalConv1DReference(
                    x,
                    columnOffset: 7,
                    weight: values,
                    bias: bias,
                    history: expectedHistory,
                    into: expected
                )
                for threadCount in 1...3 {
                    let pool = ThreadPool(threadCount: threadCount)
                    let (out, after) = (bench.tensor(tokens, channels), bench.copy(history))
                    causalConv1D(
                        x,
                        columnOffset: 7,
                        channels: channels,
                        weight: weight,
                        bias: bias,
                        history: after,
                        into: out,
                        on: pool
                    )
                    expectClose(out, expected, absolute: 2e-6)
                    expectSame(after, expectedHistory)
                }
            }
        }
    }

    /// The operands of a selective scan.
    private struct Scan {
        let u, delta, bc, gates, h, aValues: Tensor
        let a: WeightMatrix
        let deltaBias, d: WeightVector
        let states: Int

        init(_ bench: Workbench, tokens: Int, channels: Int, states: Int) {
            u = bench.tensor(tokens, channels)
            delta = bench.tensor(tokens, channels, in: -30...25)
            bc = bench.tensor(tokens, 2 * states + 3)
            gates = bench.tensor(tokens, 2 * channels, in: -9...9)
            h = bench.tensor(channels, states)
            (a, aValues) = bench.weights(.f32, channels, states, in: -16 ... -0.01)
            deltaBias = bench.vector(channels)
            d = bench.vector(channels)
            self.states = states
        }

        func run(tokens: Range<Int>, h: Tensor, out: Tensor, on pool: borrowing ThreadPool) {
            selectiveScan(
                u: u.rows(tokens),
                delta: delta.rows(tokens),
                deltaBias: deltaBias,
                a: a,
                bc: bc.rows(tokens),
                bOffset: 3,
                cOffset: 3 + states,
                d: d,
                gates: gates.rows(tokens),
                zOffset: u.columns,
                state: h,
                into: out.rows(tokens),
                on: pool
            )
        }

        func runReference(h: Tensor, out: Tensor) {
            selectiveScanReference(
                u: u,
                delta: delta,
                deltaBias: deltaBias,
                a: aValues,
                bc: bc,
                bOffset: 3,
                cOffset: 3 + states,
                d: d,
                gates: gates,
                zOffset: u.columns,
                state: h,
                into: out
            )
        }
    }

    @Test
    func `selective scans of any shape`() {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 32)
            for (tokens, channels, states) in [
                (1, 1, 1), (1, 100, 16), (1, 19, 5), (5, 37, 16), (7, 20, 8), (4, 33, 5),
                (9, 16, 33),
                (3, 50, 64), (200, 40, 16),
            ] {
                let scan = Scan(bench, tokens: tokens, channels: channels, states: states)
                let (h, expected) = (bench.copy(scan.h), bench.tensor(tokens, channels))
                scan.runReference(h: h, out: expected)
                var first: Tensor?
                for threadCount in 1...3 {
                    let pool = ThreadPool(threadCount: threadCount)
                    let (after, out) = (bench.copy(scan.h), bench.tensor(tokens, channels))
                    scan.run(tokens: 0..<tokens, h: after, out: out, on: pool)
                    expectClose(out, expected, absolute: 2e-5, relative: 1e-5)
                    expectClose(after, h, absolute: 2e-6, relative: 1e-5)
                    expectSame(out, first ?? out)
                    first = out
                }
            }
        }
    }

    @Test
    func `a scan in pieces is the scan as a whole`() {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 33)
            let scan = Scan(bench, tokens: 12, channels: 40, states: 16)
            let pool = ThreadPool(threadCount: 1)
            let (whole, pieces) = (bench.tensor(12, 40), bench.tensor(12, 40))
            let (hWhole, hPieces) = (bench.copy(scan.h), bench.copy(scan.h))
            scan.run(tokens: 0..<12, h: hWhole, out: whole, on: pool)
            for tokens in [0..<1, 1..<8, 8..<12] {
                scan.run(tokens: tokens, h: hPieces, out: pieces, on: pool)
            }
            // A single token sums its states in another order.
            expectClose(pieces, whole, absolute: 2e-6, relative: 1e-6)
            expectClose(hPieces, hWhole, absolute: 1e-6, relative: 1e-6)
        }
    }

    @Test
    func `a scan may write over its input, and passes NaN on to its channel alone`() {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 34)
            let scan = Scan(bench, tokens: 6, channels: 20, states: 16)
            let pool = ThreadPool(threadCount: 1)
            let expected = bench.tensor(6, 20)
            scan.run(tokens: 0..<6, h: bench.copy(scan.h), out: expected, on: pool)
            scan.run(tokens: 0..<6, h: bench.copy(scan.h), out: scan.u, on: pool)
            expectSame(scan.u, expected)

            scan.delta[2, 5] = .nan
            scan.run(tokens: 0..<6, h: scan.h, out: expected, on: pool)
            #expect(expected[1, 5].isFinite && expected[2, 5].isNaN && expected[5, 5].isNaN)
            #expect(expected[5, 4].isFinite && expected[5, 6].isFinite)
        }
    }

    @Test
    func `state-space scans of any shape`() {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 35)
            for (tokens, heads, width, groups, states) in [
                (1, 1, 1, 1, 1), (1, 24, 64, 1, 128), (5, 4, 6, 2, 7), (70, 2, 16, 1, 64),
                (3, 6, 5, 3, 100),
                // As matrix products over chunks, up to 128 states.
                (24, 3, 40, 1, 128), (131, 4, 33, 2, 100), (64, 2, 1, 2, 3), (33, 2, 8, 1, 130),
            ] {
                let channels = heads * width
                let xbc = bench.tensor(tokens, channels + 2 * groups * states)
                let projected = bench.tensor(tokens, heads + 5, in: -25...25)
                let (dtBias, d) = (bench.vector(heads), bench.vector(heads))
                let a = bench.vector(heads, in: -8 ... -0.01)
                let before = bench.tensor(channels, states)
                let (h, expected) = (bench.copy(before), bench.tensor(tokens, channels))
                stateSpaceScanReference(
                    xbc: xbc,
                    projected: projected,
                    dtOffset: 5,
                    dtBias: dtBias,
                    a: a,
                    d: d,
                    headCount: heads,
                    groupCount: groups,
                    state: h,
                    into: expected
                )
                var first: Tensor?
                for threadCount in 1...3 {
                    let pool = ThreadPool(threadCount: threadCount)
                    let (after, out) = (bench.copy(before), bench.tensor(tokens, channels))
                    stateSpaceScan(
                        xbc: xbc,
                        projected: projected,
                        dtOffset: 5,
                        dtBias: dtBias,
                        a: a,
                        d: d,
                        headCount: heads,
                        groupCount: groups,
                        dState: states,
                        state: after,
                        into: out,
                        on: pool
                    )
                    expectClose(out, expected, absolute: 1e-4, relative: 1e-5)
                    expectClose(after, h, absolute: 1e-5, relative: 1e-5)
                    expectSame(out, first ?? out)
                    first = out
                }
            }
        }
    }

    @Test
    func `a pool has the threads that it says`() {
        for (asked, given) in [(-1, 1), (0, 1), (1, 1), (2, 2), (5, 5)] {
            #expect(ThreadPool(threadCount: asked).threadCount == given)
        }
    }
}
