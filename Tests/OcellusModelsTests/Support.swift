// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import ReferenceArrays
import Testing

/// A folder of `Tests/Fixtures/models`, written by `scripts/references/models.py`.
struct Fixture: Sendable, CustomTestStringConvertible {
    let name: String

    var testDescription: String { name }

    /// Kernels for quantised weights round the activations to int8 as well; PyTorch does not.
    var isQuantized: Bool { name.contains("-q") }

    /// The largest error against PyTorch, relative to the largest magnitude.
    var tolerance: Float { isQuantized ? 2e-2 : 1e-4 }

    /// The largest error from another order of summation.
    ///
    /// Of the many activations of the models with blocks of 256 weights it can push one over the edge
    /// to the next int8.
    var summationTolerance: Float { name.hasSuffix("_k") ? 1e-3 : 1e-5 }

    /// The largest error from Mamba-2's scan as matrix products, which sums all in another order.
    ///
    /// It can push activations of any quantised model to the next int8.
    var chunkedScanTolerance: Float {
        isQuantized && name.hasPrefix("mamba2") ? 1e-2 : summationTolerance
    }

    /// A file of the model, or, under `llama.cpp`, of what llama.cpp computed from it.
    func path(_ file: String, under folder: String = "models") -> String {
        // <repository>/Tests/OcellusModelsTests/Support.swift -> <repository>/Tests
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return "/\(tests)/Fixtures/\(folder)/\(name)/\(file)"
    }

    func array(_ stage: String) throws -> ReferenceArray {
        try ReferenceArray(path: path(stage + ".npy"))
    }
}

/// A plan that no fixture needs.
struct PlanTooLarge: Error {}

/// The arena of a plan without conflicts that fits a tiny model.
func smallArena(_ plan: MemoryPlan) throws -> Arena {
    precondition(plan.firstConflict() == nil, "the plan gives bytes away twice")
    guard plan.requiredBytes < 1 << 26 else { throw PlanTooLarge() }
    return try Arena(plan: plan)
}

/// All elements of a tensor.
func elements(_ tensor: Tensor) -> [Float] {
    let row = tensor.reshaped(rows: 1, columns: tensor.count)
    return (0..<tensor.count).map { row[0, $0] }
}

/// The largest difference, relative to the largest magnitude that was expected.
func relativeError(_ actual: [Float], _ expected: some Collection<Float>) -> Float {
    guard actual.count == expected.count else { return .infinity }
    var (error, magnitude): (Float, Float) = (0, .leastNormalMagnitude)
    for (a, e) in zip(actual, expected) {
        if !a.isFinite { return .infinity }
        error = max(error, abs(a - e))
        magnitude = max(magnitude, abs(e))
    }
    return error / magnitude
}

/// Checks a stage against the reference, and says by how much it is off.
func expectClose(
    _ actual: [Float],
    _ expected: some Collection<Float>,
    within tolerance: Float,
    _ stage: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let error = relativeError(actual, expected)
    #expect(
        error <= tolerance,
        "\(stage): \(actual.count) of \(expected.count) elements",
        sourceLocation: sourceLocation
    )
}
