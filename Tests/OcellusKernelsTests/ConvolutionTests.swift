// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusKernels

/// Convolutions and pooling against their references.
extension KernelTests {
    static let geometries: [ConvolutionGeometry] = [
        .pytorch(height: 1, width: 1, kernel: 1, stride: 1, padding: 0),
        .pytorch(height: 5, width: 4, kernel: 3, stride: 1, padding: 1),
        .pytorch(height: 12, width: 17, kernel: 7, stride: 2, padding: 3),
        .pytorch(height: 14, width: 14, kernel: 7, stride: 7, padding: 0),
        .pytorch(height: 2, width: 3, kernel: 5, stride: 1, padding: 2),
        .tensorFlowSame(height: 16, width: 13, kernel: 3, stride: 2),
        .tensorFlowSame(height: 64, width: 64, kernel: 3, stride: 1),
    ]

    @Test
    func `depthwise convolutions of any shape`() {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 21)
            for geometry in Self.geometries {
                for (channels, activation) in [(3, Activation.none), (16, .relu6), (37, .silu)] {
                    let x = bench.tensor(geometry.inputHeight * geometry.inputWidth, channels)
                    let taps = geometry.kernel * geometry.kernel
                    let (matrix, values) = bench.weights(.f16, channels, taps)
                    let weight = bench.tensor(taps, channels)
                    prepareDepthwise(matrix, into: weight)
                    #expect(weight[taps - 1, 0] == values[0, taps - 1])
                    let bias = bench.vector(channels)
                    let outputs = geometry.outputHeight * geometry.outputWidth
                    let expected = bench.tensor(outputs, channels)
                    depthwiseConv2DReference(
                        x,
                        weight: weight,
                        bias: bias,
                        geometry: geometry,
                        activation: activation,
                        into: expected
                    )
                    var first: Tensor?
                    for threadCount in 1...3 {
                        let pool = ThreadPool(threadCount: threadCount)
                        let out = bench.tensor(outputs, channels)
                        depthwiseConv2D(
                            x,
                            weight: weight,
                            bias: bias,
                            geometry: geometry,
                            activation: activation,
                            into: out,
                            on: pool
                        )
                        expectClose(out, expected, absolute: 4e-6, relative: 1e-5)
                        expectSame(out, first ?? out)
                        first = out
                    }
                }
            }
        }
    }

    @Test
    func `patches of any shape`() {
        let bench = Workbench(seed: 22)
        let pool = ThreadPool(threadCount: 2)
        for geometry in Self.geometries {
            let channels = 5
            let pixels = geometry.inputHeight * geometry.inputWidth
            let planes = bench.tensor(channels, pixels)
            let interleaved = bench.tensor(pixels, channels)
            for pixel in 0..<pixels {
                for channel in 0..<channels { interleaved[pixel, channel] = planes[channel, pixel] }
            }
            let rows = geometry.outputHeight * geometry.outputWidth
            let columns = channels * geometry.kernel * geometry.kernel
            let (out, expected) = (bench.tensor(rows, columns), bench.tensor(rows, columns))
            patchesReference(channels: channels, geometry: geometry, into: expected) {
                planes[$0, $1 * geometry.inputWidth + $2]
            }
            patchesFromPlanar(planes, channels: channels, geometry: geometry, into: out, on: pool)
            expectSame(out, expected)
            out.fill(.nan)
            patchesFromInterleaved(interleaved, geometry: geometry, into: out, on: pool)
            expectSame(out, expected)
        }
    }

    /// Random runs of the rows of a grid, some of them empty.
    private func spans(_ bench: Workbench, height: Int, width: Int) -> CellSpans {
        let bytes = bench.bytes(CellSpans.byteCount(height: height))
        let spans = CellSpans(bytes, height: height, width: width)
        for row in 0..<height {
            let ends = [bench.next(), bench.next()].map { Int($0 % UInt64(width + 1)) }.sorted()
            spans.set(bench.next() % 3 == 0 ? 0..<0 : ends[0]..<ends[1], row: row)
        }
        return spans
    }

    /// The cells of spans, one behind the other, out of all.
    private func cells(_ spans: CellSpans, of all: Tensor, _ bench: Workbench) -> Tensor {
        let cells = bench.tensor(spans.count, all.columns)
        var next = 0
        for row in 0..<spans.height {
            for column in spans[row] {
                let cell = row * spans.width + column
                cells.rows(next..<next + 1).copy(from: all.rows(cell..<cell + 1))
                next += 1
            }
        }
        return cells
    }

    @Test
    func `spans of a convolution are the same cells of the whole`() {
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 24)
            for (geometry, channels) in zip(Self.geometries, [3, 16, 37, 5, 8, 33, 16]) {
                let (height, width) = (geometry.inputHeight, geometry.inputWidth)
                let x = bench.tensor(height * width, channels)
                let taps = geometry.kernel * geometry.kernel
                let weight = bench.tensor(taps, channels)
                let planes = x.reshaped(rows: channels, columns: height * width)
                for threadCount in 1...2 {
                    let pool = ThreadPool(threadCount: threadCount)
                    func run(_ spans: CellSpans?) -> [Tensor] {
                        let count =
                            spans?.count ?? geometry.outputHeight * geometry.outputWidth
                        let out = bench.tensor(count, channels)
                        depthwiseConv2D(
                            x,
                            weight: weight,
                            bias: nil,
                            geometry: geometry,
                            spans: spans,
                            activation: .silu,
                            into: out,
                            on: pool
                        )
                        let planar = bench.tensor(count, channels * taps)
                        patchesFromPlanar(
                            planes,
                            channels: channels,
                            geometry: geometry,
                            spans: spans,
                            into: planar,
                            on: pool
                        )
                        let interleaved = bench.tensor(count, channels * taps)
                        patchesFromInterleaved(
                            x,
                            geometry: geometry,
                            spans: spans,
                            into: interleaved,
                            on: pool
                        )
                        return [out, planar, interleaved]
                    }
                    let some = spans(
                        bench,
                        height: geometry.outputHeight,
                        width: geometry.outputWidth
                    )
                    for (part, whole) in zip(run(some), run(nil)) {
                        expectSame(part, cells(some, of: whole, bench))
                    }
                }
            }
        }
    }

    @Test
    func `spans cover the windows that meet a change`() {
        let bench = Workbench(seed: 25)
        let strided = ConvolutionGeometry.pytorch(
            height: 9,
            width: 11,
            kernel: 1,
            stride: 2,
            padding: 0
        )
        for geometry in Self.geometries + [strided] {
            for _ in 0..<20 {
                let (height, width) = (geometry.inputHeight, geometry.inputWidth)
                let changed = spans(bench, height: height, width: width)
                let bytes = bench.bytes(CellSpans.byteCount(height: geometry.outputHeight))
                let found = CellSpans(
                    bytes,
                    height: geometry.outputHeight,
                    width: geometry.outputWidth
                )
                found.cover(changed, seenBy: geometry)
                let expected = (0..<found.height).map { row in
                    let met = (0..<found.width).filter { column in
                        let top = row * geometry.stride - geometry.padTop
                        let left = column * geometry.stride - geometry.padLeft
                        return (top..<top + geometry.kernel).contains { y in
                            (0..<height).contains(y)
                                && changed[y].overlaps(left..<left + geometry.kernel)
                        }
                    }
                    return met.isEmpty ? 0..<0 : met[0]..<met[met.count - 1] + 1
                }
                let count = expected.reduce(0) { $0 + $1.count }
                let cells = found.height * found.width
                // The products of four cells and less are those of a step.
                let isAll = 1...4 ~= count || 4 * count > 3 * cells
                for row in 0..<found.height {
                    #expect(found[row] == (isAll ? 0..<found.width : expected[row]))
                }
                #expect(found.count == (isAll ? cells : count))
                #expect(found.isWhole == (found.count == cells))
            }
        }
    }

    @Test
    func `cells are put into their places and added to`() {
        let bench = Workbench(seed: 26)
        let pool = ThreadPool(threadCount: 1)
        let some = spans(bench, height: 9, width: 7)
        let (map, x) = (bench.tensor(63, 5), bench.tensor(some.count, 5))
        let before = bench.copy(map)
        some.scatter(x, into: map)
        expectSame(cells(some, of: map, bench), x)
        let kept = cells(some, of: before, bench)
        let sums = bench.copy(x)
        add(kept, into: sums, on: pool)
        some.add(before, into: x, on: pool)
        expectSame(x, sums)
        some.scatter(kept, into: map)
        expectSame(map, before)
    }

    @Test
    func `differences of columns`() {
        let bench = Workbench(seed: 27)
        for (rows, columns) in [(1, 1), (8, 128), (3, 37)] {
            let (a, b) = (bench.tensor(rows, columns), bench.tensor(rows, columns))
            let (out, expected) = (bench.tensor(1, columns), bench.tensor(1, columns))
            columnDifferences(a, b, into: out)
            for column in 0..<columns {
                expected[0, column] = (0..<rows).reduce(0) {
                    $0 + abs(a[$1, column] - b[$1, column])
                }
            }
            expectSame(out, expected)
        }
    }

    @Test
    func `pools of any shape`() {
        let pool = ThreadPool(threadCount: 2)
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 23)
            for (height, width, outHeight, outWidth, channels, activation) in [
                (1, 1, 1, 1, 1, .none), (14, 14, 7, 7, 33, .geluErf),
                (27, 27, 14, 14, 48, .geluErf), (5, 9, 3, 4, 20, .none), (2, 2, 3, 3, 5, .silu),
            ] as [(Int, Int, Int, Int, Int, Activation)] {
                let x = bench.tensor(height * width, channels)
                let out = bench.tensor(outHeight * outWidth, channels)
                let expected = bench.tensor(outHeight * outWidth, channels)
                adaptiveAveragePool2D(
                    x,
                    inputHeight: height,
                    inputWidth: width,
                    outputHeight: outHeight,
                    outputWidth: outWidth,
                    activation: activation,
                    into: out,
                    on: pool
                )
                adaptiveAveragePool2DReference(
                    x,
                    inputHeight: height,
                    inputWidth: width,
                    outputHeight: outHeight,
                    outputWidth: outWidth,
                    activation: activation,
                    into: expected
                )
                expectClose(out, expected)

                let mean = bench.tensor(1, channels)
                meanRows(x, into: mean)
                let means = bench.tensor(x.rows, 1)
                meanColumns(x, into: means)
                let (one, all) = (bench.tensor(1, channels), bench.tensor(x.rows, 1))
                adaptiveAveragePool2DReference(
                    x,
                    inputHeight: height,
                    inputWidth: width,
                    outputHeight: 1,
                    outputWidth: 1,
                    into: one
                )
                adaptiveAveragePool2DReference(
                    x.reshaped(rows: x.count, columns: 1),
                    inputHeight: x.rows,
                    inputWidth: channels,
                    outputHeight: x.rows,
                    outputWidth: 1,
                    into: all
                )
                expectClose(mean, one)
                expectClose(means, all)
            }
        }
    }

    @Test
    func `TensorFlow pads more below and to the right`() {
        let geometry = ConvolutionGeometry.tensorFlowSame(
            height: 8,
            width: 7,
            kernel: 3,
            stride: 2
        )
        #expect(geometry.padTop == 0 && geometry.padBottom == 1)
        #expect(geometry.padLeft == 1 && geometry.padRight == 1)
        #expect(geometry.outputHeight == 4 && geometry.outputWidth == 4)
    }
}
