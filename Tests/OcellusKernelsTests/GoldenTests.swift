// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusMemory
import Testing

@testable import OcellusKernels

/// One file of Tests/Fixtures/kernels, written by scripts/references/kernels.py.
private struct Golden {
    private struct Entry: Decodable {
        let shape: [Int]
        let values: [Double]  // some are below the least Float
    }

    private let entries: [String: Entry]
    private let bench: Workbench

    init(_ name: String, _ bench: Workbench) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/kernels/\(name).json")
        entries = try JSONDecoder().decode([String: Entry].self, from: Data(contentsOf: file))
        self.bench = bench
    }

    private func entry(_ name: String) throws -> Entry {
        try #require(entries[name])
    }

    func values(_ name: String) throws -> [Float] {
        try entry(name).values.map { Float($0) }
    }

    /// With the inner dimensions as columns.
    func tensor(_ name: String) throws -> Tensor {
        let entry = try entry(name)
        let rows = entry.shape.count > 1 ? entry.shape[0] : 1
        return bench.tensor(rows: rows, columns: entry.values.count / rows, try values(name))
    }

    func vector(_ name: String) throws -> WeightVector {
        bench.vector(try values(name))
    }

    func weights(_ name: String) throws -> WeightMatrix {
        let tensor = try tensor(name)
        return unsafe WeightMatrix(
            type: .f32,
            rows: tensor.rows,
            columns: tensor.columns,
            base: tensor.base
        )
    }

    /// A picture (1, c, h, w) as interleaved pixels (h * w, c).
    func pixels(_ name: String) throws -> Tensor {
        let entry = try entry(name)
        let (channels, count) = (entry.shape[1], entry.shape[2] * entry.shape[3])
        let result = bench.tensor(count, channels)
        for pixel in 0..<count {
            for channel in 0..<channels {
                result[pixel, channel] = Float(entry.values[channel * count + pixel])
            }
        }
        return result
    }
}

/// References and kernels against PyTorch, NumPy and gguf.
extension KernelTests {
    @Test(arguments: [
        ("relu", Activation.relu), ("relu6", .relu6), ("silu", .silu), ("geluErf", .geluErf),
        ("geluTanh", .geluTanh), ("quickGelu", .quickGelu), ("sigmoid", .sigmoid),
        ("hardSwish", .hardSwish), ("hardSigmoid", .hardSigmoid),
    ])
    func `activations are PyTorch's`(name: String, activation: Activation) throws {
        let bench = Workbench(seed: 1)
        let golden = try Golden("activations", bench)
        let expected = try golden.tensor(name)
        let x = try golden.tensor("x")
        let reference = bench.copy(x)
        for index in 0..<x.count { reference.base[index] = activation.reference(x.base[index]) }
        expectClose(reference, expected, absolute: 1e-15, relative: 2e-7)
        Self.onEachInstructionSet {
            let out = bench.copy(x)
            activate(out, activation, on: ThreadPool(threadCount: 1))
            // The tails beyond exp(-87) are cut off.
            expectClose(out, expected, absolute: 1e-9, relative: 1e-6, name)
        }
    }

    @Test
    func `softplus is PyTorch's`() throws {
        let bench = Workbench(seed: 1)
        let golden = try Golden("activations", bench)
        let (x, expected) = (try golden.values("x"), try golden.values("softplus"))
        for index in x.indices {
            let value = Float(softplusReference(Double(x[index])))
            #expect(abs(value - expected[index]) <= 2e-7 * expected[index])
        }
    }

    @Test
    func `norms are PyTorch's`() throws {
        let bench = Workbench(seed: 1)
        let golden = try Golden("norms", bench)
        let (x, z) = (try golden.tensor("x"), try golden.tensor("z"))
        let (weight, bias) = (try golden.vector("weight"), try golden.vector("bias"))
        let out = bench.tensor(x.rows, x.columns)
        rmsNormReference(x, weight: weight, epsilon: 1e-5, into: out)
        expectClose(out, try golden.tensor("rms"))
        layerNormReference(x, weight: weight, bias: bias, epsilon: 1e-6, into: out)
        expectClose(out, try golden.tensor("layer"))
        gatedRMSNormReference(
            x,
            gate: z,
            gateOffset: 0,
            weight: weight,
            groupCount: 2,
            epsilon: 1e-5,
            into: out
        )
        expectClose(out, try golden.tensor("gated"))
    }

    @Test(arguments: types.filter { !$0.isInterleaved })
    func `blocks of weights are ggml's`(type: WeightType) throws {
        let bench = Workbench(seed: 1)
        let columns = type.blockElementCount == 256 ? 512 : 64
        let golden = try Golden(columns == 512 ? "k_products" : "products", bench)
        // Q8_row has the blocks of Q8_0, and few tokens meet them as these.
        let name = (type == .q8_row ? .q8_0 : type).name.lowercased()
        let bytes = try golden.values("\(name)_bytes").map { UInt8($0) }
        let data = bench.bytes(bytes.count)
        for index in bytes.indices { data[index] = bytes[index] }
        let w = unsafe WeightMatrix(
            type: type,
            rows: 4,
            columns: columns,
            base: UnsafeRawPointer(data.base)
        )
        let values = bench.tensor(4, columns)
        dequantizeReference(w, into: values)
        expectSame(values, try golden.tensor("\(name)_values"))

        let (x, bias) = (try golden.tensor("x"), try golden.vector("bias"))
        let expected = try golden.tensor("\(name)_product")
        let out = bench.tensor(3, 4)
        matMulReference(values, x, bias: bias, into: out)
        expectClose(out, expected)
        Self.onEachInstructionSet {
            let scratch = bench.bytes(matMulScratchByteCount(tokens: 3, columns: columns))
            matMul(w, x, bias: bias, into: out, scratch: scratch, on: ThreadPool(threadCount: 1))
            // int8 activations: half a step of 1/127 per term, in a random walk of the terms.
            let isExact = type.blockElementCount == 1
            let rounding = 0.0125 * Float(columns).squareRoot()
            expectClose(out, expected, absolute: isExact ? 1e-5 : rounding)
        }
    }

    @Test
    func `attention is PyTorch's`() throws {
        let bench = Workbench(seed: 1)
        let golden = try Golden("attention", bench)
        let expected = try golden.tensor("out")
        let out = bench.tensor(expected.rows, expected.columns)
        attentionReference(
            query: try golden.tensor("query"),
            key: try golden.tensor("key"),
            value: try golden.tensor("value"),
            headCount: 2,
            into: out
        )
        expectClose(out, expected)
    }

    @Test
    func `convolutions are PyTorch's`() throws {
        let bench = Workbench(seed: 1)
        let pool = ThreadPool(threadCount: 1)
        let golden = try Golden("convolutions", bench)
        let pixels = try golden.pixels("x")
        let planes = try golden.tensor("x").reshaped(rows: 3, columns: 72)
        let bias = try golden.vector("bias")

        let strided = ConvolutionGeometry.pytorch(
            height: 9,
            width: 8,
            kernel: 3,
            stride: 2,
            padding: 1
        )
        let patches = bench.tensor(strided.outputHeight * strided.outputWidth, 27)
        let scratch = bench.bytes(matMulScratchByteCount(tokens: patches.rows, columns: 27))
        let out = bench.tensor(patches.rows, 4)
        for isPlanar in [true, false] {
            patches.fill(.nan)
            if isPlanar {
                patchesFromPlanar(planes, channels: 3, geometry: strided, into: patches, on: pool)
            } else {
                patchesFromInterleaved(pixels, geometry: strided, into: patches, on: pool)
            }
            matMul(try golden.weights("dense"), patches, into: out, scratch: scratch, on: pool)
            expectClose(out, try golden.pixels("denseOut"), absolute: 1e-5)
        }

        let weight = bench.tensor(9, 3)
        prepareDepthwise(try golden.weights("depthwise"), into: weight)
        for (geometry, activation, name) in [
            (
                ConvolutionGeometry.pytorch(height: 9, width: 8, kernel: 3, stride: 1, padding: 1),
                Activation.relu6, "depthwiseOut"
            ),
            (.tensorFlowSame(height: 9, width: 8, kernel: 3, stride: 2), .none, "sameOut"),
        ] {
            let out = bench.tensor(geometry.outputHeight * geometry.outputWidth, 3)
            depthwiseConv2DReference(
                pixels,
                weight: weight,
                bias: bias,
                geometry: geometry,
                activation: activation,
                into: out
            )
            expectClose(out, try golden.pixels(name))
        }

        let pooled = bench.tensor(12, 3)
        adaptiveAveragePool2DReference(
            pixels,
            inputHeight: 9,
            inputWidth: 8,
            outputHeight: 4,
            outputWidth: 3,
            into: pooled
        )
        expectClose(pooled, try golden.pixels("pooled"))
    }

    @Test
    func `the causal convolution is PyTorch's`() throws {
        let bench = Workbench(seed: 1)
        let golden = try Golden("causal_convolution", bench)
        let expected = try golden.tensor("out")
        let history = try golden.tensor("history")
        let out = bench.tensor(expected.rows, expected.columns)
        causalConv1DReference(
            try golden.tensor("x"),
            columnOffset: 0,
            weight: try golden.tensor("weight"),
            bias: try golden.vector("bias"),
            history: history,
            into: out
        )
        expectClose(out, expected)
        expectSame(history, try golden.tensor("historyAfter"))
    }

    @Test
    func `the selective scan is Mamba's`() throws {
        let bench = Workbench(seed: 1)
        let golden = try Golden("selective_scan", bench)
        let (b, c) = (try golden.tensor("b"), try golden.tensor("c"))
        let bc = bench.tensor(b.rows, 2 * b.columns)
        bc.copyColumns(from: b, at: 0)
        bc.copyColumns(from: c, at: b.columns)
        let expected = try golden.tensor("out")
        let h = try golden.tensor("state")
        let out = bench.tensor(expected.rows, expected.columns)
        selectiveScanReference(
            u: try golden.tensor("u"),
            delta: try golden.tensor("delta"),
            deltaBias: try golden.vector("deltaBias"),
            a: try golden.tensor("a"),
            bc: bc,
            bOffset: 0,
            cOffset: b.columns,
            d: try golden.vector("d"),
            gates: try golden.tensor("z"),
            zOffset: 0,
            state: h,
            into: out
        )
        expectClose(out, expected)
        expectClose(h, try golden.tensor("stateAfter"))
    }

    @Test
    func `the state-space scan is Mamba-2's`() throws {
        let bench = Workbench(seed: 1)
        let golden = try Golden("state_space_scan", bench)
        let expected = try golden.tensor("out")
        let h = try golden.tensor("state")
        let out = bench.tensor(expected.rows, expected.columns)
        stateSpaceScanReference(
            xbc: try golden.tensor("xbc"),
            projected: try golden.tensor("dt"),
            dtOffset: 0,
            dtBias: try golden.vector("dtBias"),
            a: try golden.vector("a"),
            d: try golden.vector("d"),
            headCount: 4,
            groupCount: 2,
            state: h,
            into: out
        )
        expectClose(out, expected)
        expectClose(h, try golden.tensor("stateAfter"))
    }
}
