// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import OcellusMemory
import Testing

/// Conversions that were killed and go on.
struct ResumeTests {
    private func plan(type: WeightType = .f16) throws -> ConversionPlan {
        var options = ConversionOptions()
        options.type = type
        let plans = try ModelConversion.plans(
            for: PublishedModel(path: Fixture("mamba-hf").path),
            options
        )
        return try #require(plans.first)
    }

    private func data(_ path: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path))
    }

    /// What a conversion that is killed leaves behind: this many tensors that are said to be safe, and
    /// some bytes more.
    private func leaveBehind(tensorCount: Int, at path: String) throws {
        let plan = try plan()
        try ModelConverter(plan, to: path).write { _, _ in }
        let state = try String(contentsOfFile: "\(path).partial.state", encoding: .utf8)
        let fingerprint = state.split(separator: "\n")[0]
        try "\(fingerprint)\n\(tensorCount)\n"
            .write(toFile: "\(path).partial.state", atomically: true, encoding: .utf8)
        var partial = try data("\(path).partial")
        partial.removeLast(plan.steps[(tensorCount + 1)...].map(\.byteCount).reduce(0, +))
        try partial.write(to: URL(fileURLWithPath: "\(path).partial"))
    }

    @Test(arguments: [0, 1, 7, 20])
    func `a killed conversion goes on where it was safe`(tensorCount: Int) throws {
        let folder = try TemporaryFolder()
        try convert(Fixture("mamba-hf").path, to: folder.path, options(.f16))
        let expected = try data(folder.file("decoder.gguf"))
        let other = try TemporaryFolder()
        let path = other.file("decoder.gguf")
        try leaveBehind(tensorCount: tensorCount, at: path)
        let converter = try ModelConverter(try plan(), to: path)
        #expect(converter.completeTensorCount == tensorCount)
        var written: [Int] = []
        try converter.write { index, _ in written.append(index) }
        #expect(written == Array(tensorCount..<22))
        #expect(other.names == ["decoder.gguf.partial", "decoder.gguf.partial.state"])
        try converter.commit()
        #expect(other.names == ["decoder.gguf"])
        #expect(try data(path) == expected)
    }

    @Test(arguments: [0, 1, 7, 21])
    func `a conversion that is asked to stop leaves what it can go on with`(count: Int) throws {
        let folder = try TemporaryFolder()
        try convert(Fixture("mamba-hf").path, to: folder.path, options(.f16))
        let other = try TemporaryFolder()
        let path = other.file("decoder.gguf")
        let converter = try ModelConverter(try plan(), to: path)
        var written: [Int] = []
        let isComplete = try converter.write(isStopped: { written.count == count }) { index, _ in
            written.append(index)
        }
        #expect(!isComplete)
        #expect(converter.completeTensorCount == count)
        let partial = ["decoder.gguf.partial", "decoder.gguf.partial.state"]
        #expect(other.names == (count == 0 ? [] : partial))
        #expect(try converter.write { index, _ in written.append(index) })
        #expect(written == Array(0..<22))
        try converter.commit()
        #expect(other.names == ["decoder.gguf"])
        #expect(try data(path) == data(folder.file("decoder.gguf")))
    }

    @Test
    func `another conversion begins anew`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("decoder.gguf")
        try leaveBehind(tensorCount: 7, at: path)
        let converter = try ModelConverter(try plan(type: .q8_0), to: path)
        #expect(converter.completeTensorCount == 0)
        var written = 0
        try converter.write { _, _ in written += 1 }
        #expect(written == 22)
    }

    @Test
    func `a partial file that was changed is begun anew`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("decoder.gguf")
        try leaveBehind(tensorCount: 7, at: path)
        try data("\(path).partial").prefix(5000).write(to: URL(fileURLWithPath: "\(path).partial"))
        var written = 0
        try ModelConverter(try plan(), to: path).write { _, _ in written += 1 }
        #expect(written == 22)
    }

    private func options(_ type: WeightType) -> ConversionOptions {
        var options = ConversionOptions()
        options.type = type
        return options
    }
}
