// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusFormat
import OcellusKernels
import OcellusMemory
import OcellusQuantization
import Testing

/// What a running model tells about its inputs.
struct InputStatisticsTests {
    private static let path =
        "/"
        + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        + "/Fixtures/models/mamba-q8_0/decoder.gguf"

    @Test
    func `every matrix that is multiplied with gets an importance`() throws {
        var session = try Session(Model(path: Self.path, options: SessionOptions()))
        let statistics = InputStatistics()
        var answer = Answer(capacity: 4)
        let prompt = try session.prompt("a cat")
        statistics.record { session.answer(prompt, maximumTokens: 4, into: &answer) }
        let importance = statistics.importance(in: session.model.decoderFile)
        let expected: Set<String> = [
            "output.weight", "blk.0.ssm_in.weight", "blk.0.ssm_x.weight", "blk.0.ssm_dt.weight",
            "blk.0.ssm_out.weight", "blk.1.ssm_in.weight", "blk.1.ssm_x.weight",
            "blk.1.ssm_dt.weight", "blk.1.ssm_out.weight",
        ]
        #expect(Set(importance.keys) == expected)
        for (name, values) in importance {
            let columns = session.model.decoderFile.tensor(name)?.shape.first
            #expect(values.count == columns, "\(name)")
            let mean = values.reduce(0, +) / Float(values.count)
            #expect(abs(mean - 1.01) < 1e-3, "\(name): relative to the mean")
            #expect(values.allSatisfy { $0 > 0 }, "\(name)")
        }
    }

    @Test
    func `the importance of a column is the mean square of its inputs`() throws {
        let file = try ModelFile(path: Self.path)
        let w = try file.matrix("blk.0.ssm_in.weight")
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: 2 * w.columns + 2 * w.rows)
        let scratchByteCount = matMulScratchByteCount(tokens: 2, columns: w.columns)
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: scratchByteCount, alignment: 64)
        defer {
            buffer.deallocate()
            scratch.deallocate()
        }
        for column in 0..<w.columns {
            buffer[column] = Float(column)
            buffer[w.columns + column] = -2
        }
        let statistics = InputStatistics()
        statistics.record {
            matMul(
                w,
                unsafe Tensor(rows: 2, columns: w.columns, base: buffer),
                into: unsafe Tensor(rows: 2, columns: w.rows, base: buffer + 2 * w.columns),
                scratch: unsafe Bytes(base: scratch, count: scratchByteCount),
                on: ThreadPool(threadCount: 1)
            )
        }
        let squares = (0..<w.columns).map { Double($0 * $0 + 4) }
        let mean = squares.reduce(0, +) / Double(w.columns)
        let importance = statistics.importance(in: file)
        #expect(importance.count == 1)
        let values = try #require(importance["blk.0.ssm_in.weight"])
        for (column, value) in values.enumerated() {
            #expect(abs(Double(value) - squares[column] / mean - 0.01) < 1e-5)
        }
    }

    @Test
    func `nothing is looked at afterwards`() throws {
        var session = try Session(Model(path: Self.path, options: SessionOptions()))
        let statistics = InputStatistics()
        statistics.record {}
        var answer = Answer(capacity: 4)
        session.answer(try session.prompt("a cat"), maximumTokens: 4, into: &answer)
        #expect(statistics.importance(in: session.model.decoderFile).isEmpty)
    }
}
