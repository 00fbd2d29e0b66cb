// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusKernels
import OcellusMemory
import Testing

@testable import OcellusQuantization

/// Blocks against llama.cpp's quantiser (scripts/references/quantization.py).
struct BlockTests {
    private static let columns = 512

    private static func data(_ name: String) throws -> Data {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return try Data(contentsOf: URL(filePath: "/\(tests)/Fixtures/quantization/\(name)"))
    }

    private static func floats(_ name: String) throws -> [Float] {
        try data(name).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }

    /// The blocks of all rows.
    private static func blocks(
        _ type: WeightType,
        _ values: [Float],
        importance: [Float]?
    ) -> [UInt8] {
        var bytes = [UInt8](
            repeating: 0xA5,
            count: values.count / type.blockElementCount * type.blockByteCount
        )
        let rowByteCount = columns / type.blockElementCount * type.blockByteCount
        values.withUnsafeBufferPointer { values in
            (importance ?? []).withUnsafeBufferPointer { importance in
                bytes.withUnsafeMutableBytes { bytes in
                    guard let base = bytes.baseAddress else { return }
                    for row in 0..<values.count / columns {
                        Blocks.write(
                            UnsafeBufferPointer(
                                rebasing: values[row * columns..<(row + 1) * columns]
                            ),
                            importance: importance.isEmpty ? nil : importance,
                            as: type,
                            to: base + row * rowByteCount
                        )
                    }
                }
            }
        }
        return bytes
    }

    /// The squared error in each row, each column weighted with its importance.
    private static func errors(
        _ type: WeightType,
        _ values: [Float],
        importance: [Float]?
    ) throws -> [Double] {
        var bytes = blocks(type, values, importance: importance)
        let rowCount = values.count / columns
        return bytes.withUnsafeMutableBytes { bytes in
            let rounded = UnsafeMutablePointer<Float>.allocate(capacity: values.count)
            defer { rounded.deallocate() }
            guard let base = bytes.baseAddress else { return [] }
            dequantize(
                unsafe WeightMatrix(type: type, rows: rowCount, columns: columns, base: base),
                into: unsafe Tensor(rows: rowCount, columns: columns, base: rounded)
            )
            return (0..<rowCount).map { row in
                (0..<columns).reduce(0) { sum, column in
                    let index = row * columns + column
                    let difference = Double(values[index]) - Double(rounded[index])
                    return sum + Double(importance?[column] ?? 1) * difference * difference
                }
            }
        }
    }

    @Test(arguments: [WeightType.q8_0, .q4_0, .q5_0])
    func `simple blocks are llama.cpp's, byte for byte`(type: WeightType) throws {
        let expected = try Self.data("\(type.name.lowercased()).bin")
        let actual = Self.blocks(type, try Self.floats("weights.bin"), importance: nil)
        #expect(actual == Array(expected))
    }

    @Test
    func `rows with one scale have the error of PyTorch's channels`() throws {
        let recorded = try JSONDecoder().decode(
            [String: [Double]].self,
            from: try Self.data("errors.json")
        )
        let expected = try #require(recorded["q8_row"])
        let values = try Self.floats("weights.bin")
        let actual = try Self.errors(.q8_row, values, importance: nil)
        #expect(actual.count == expected.count)
        let bytes = Self.blocks(.q8_row, values, importance: nil)
        let blockCount = Self.columns / 32
        for block in 0..<bytes.count / 34 {
            let first = block / blockCount * blockCount
            #expect(bytes[34 * block..<34 * block + 2] == bytes[34 * first..<34 * first + 2])
        }
        // Our scale is a half; it cannot be small enough for the last row, of 1e-9.
        for row in expected.indices.dropLast() {
            let energy = (row * Self.columns..<(row + 1) * Self.columns).reduce(0.0) {
                $0 + Double(values[$1] * values[$1])
            }
            #expect(actual[row] <= 1.02 * expected[row] + 1e-6 * energy)
        }
    }

    @Test(arguments: [
        (WeightType.q4_k, "errors"), (.q6_k, "errors"), (.q4_0, "weighted"), (.q5_0, "weighted"),
        (.q4_k, "weighted"), (.q6_k, "weighted"),
    ])
    func `the search leaves no more error than llama.cpp's`(
        type: WeightType,
        record: String
    ) throws {
        let recorded = try JSONDecoder().decode(
            [String: [Double]].self,
            from: try Self.data("\(record).json")
        )
        let expected = try #require(recorded[type.name.lowercased()])
        let importance = record == "weighted" ? try Self.floats("importance.bin") : nil
        let values = try Self.floats("weights.bin")
        let actual = try Self.errors(type, values, importance: importance)
        #expect(actual.count == expected.count)
        for row in expected.indices {
            let energy = (row * Self.columns..<(row + 1) * Self.columns).reduce(0.0) {
                $0 + Double(values[$1] * values[$1]) * Double(importance?[$1 % Self.columns] ?? 1)
            }
            // 5 % of the root mean square are 10 % of the squares. A row of equal values is exact but
            // for the rounding of its scale to half precision.
            #expect(
                actual[row] <= 1.1 * expected[row] + 1e-6 * energy,
                "row \(row): \((actual[row] / expected[row]).squareRoot()) times the error"
            )
        }
        let ratio = (actual.reduce(0, +) / expected.reduce(0, +)).squareRoot()
        #expect(ratio <= 1.02)
    }

    @Test
    func `halves round to the nearest, as the processor's do`() {
        let values: [Float] = [0, 1, -1, 65504, 65519, 1e-8, 5.96e-8, 0.1, 2049, 2051]
        #expect(
            values.map { Float(Float16(bitPattern: half($0))) } == values.map { Float(Float16($0)) }
        )
    }

    @Test(arguments: Blocks.types)
    func `blocks of extreme values do not trap`(type: WeightType) throws {
        var values = [Float](repeating: 0, count: 4 * Self.columns)
        for index in 0..<Self.columns {
            values[index] = Float.leastNonzeroMagnitude * Float(index % 7 - 3)
            values[Self.columns + index] = 65504 * (index % 3 == 0 ? -1 : 1)
            values[2 * Self.columns + index] = index % 256 == 9 ? 6e4 : 1e-30
            values[3 * Self.columns + index] = index % 2 == 0 ? 1e-38 : -2e-38
        }
        #expect(!Self.blocks(type, values, importance: nil).isEmpty)
    }
}
