// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusConversion
import ReferenceArrays
import Testing

/// A folder of Tests/Fixtures/checkpoints.
struct Fixture {
    let path: String

    init(_ name: String) {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        path = "/\(tests)/Fixtures/checkpoints/\(name)"
    }

    func array(_ name: String) throws -> ReferenceArray {
        try ReferenceArray(path: "\(path)/\(name).npy")
    }
}

/// A folder of its own for each test, removed with it.
final class TemporaryFolder {
    let path = FileManager.default.temporaryDirectory
        .appending(path: "ocellus-conversion-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// What is in it, sorted.
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }
}

/// Converts a published model as `ocellus-kit convert` does.
func convert(
    _ source: String,
    to folder: String,
    _ options: ConversionOptions = ConversionOptions()
) throws {
    for plan in try ModelConversion.plans(for: PublishedModel(path: source), options) {
        let converter = try ModelConverter(
            plan,
            to: "\(folder)/\(plan.description.fileName)",
            threadCount: 2
        )
        try converter.write { _, _ in }
        try converter.commit()
    }
}

/// Expects all elements within 1e-4 of the reference, relative to its greatest magnitude.
func expectClose(
    _ found: TracedTensor,
    _ expected: ReferenceArray,
    _ stage: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.shape == expected.shape, "\(stage)", sourceLocation: sourceLocation)
    let scale = expected.elements.map { abs($0) }.max() ?? 0
    let error = greatestDifference(found.elements, expected.elements)
    #expect(
        error <= 1e-4 * scale,
        "\(stage): error \(error) of \(scale)",
        sourceLocation: sourceLocation
    )
}
