// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat
import OcellusQuantization
import Testing

/// Runs a body with a copy of a file of a fixture whose weights are packed.
func withPacked(
    _ fixture: Fixture,
    _ name: String,
    _ body: (_ path: String) throws -> Void
) throws {
    let path = FileManager.default.temporaryDirectory
        .appending(path: "ocellus-packed-\(UUID().uuidString).gguf").path
    let file = try ModelFile(path: fixture.path(name))
    let plan = try QuantizationPlan(for: file, type: nil, order: .packed)
    #expect(plan.steps.contains { $0.isRearranged })
    _ = try ModelQuantizer(plan).write(file, to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}
