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

    @Test
    func `pools of any shape`() {
        let pool = ThreadPool(threadCount: 2)
        Self.onEachInstructionSet {
            let bench = Workbench(seed: 23)
            for (height, width, outHeight, outWidth, channels) in [
                (1, 1, 1, 1, 1), (14, 14, 7, 7, 33), (27, 27, 14, 14, 48), (5, 9, 3, 4, 20),
                (2, 2, 3, 3, 5),
            ] {
                let x = bench.tensor(height * width, channels)
                let out = bench.tensor(outHeight * outWidth, channels)
                let expected = bench.tensor(outHeight * outWidth, channels)
                adaptiveAveragePool2D(
                    x,
                    inputHeight: height,
                    inputWidth: width,
                    outputHeight: outHeight,
                    outputWidth: outWidth,
                    into: out,
                    on: pool
                )
                adaptiveAveragePool2DReference(
                    x,
                    inputHeight: height,
                    inputWidth: width,
                    outputHeight: outHeight,
                    outputWidth: outWidth,
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
