// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import Testing

/// Which file of a folder is taken for the checkpoint.
struct CheckpointFolderTests {
    @Test
    func `Cobra's may be named after the steps of its training`() throws {
        let folder = try PublishedFolder("cobra")
        let (latest, step) = (
            "\(folder.path)/checkpoints/latest-checkpoint.pt", "step-005198-epoch-01-loss=0.7.pt"
        )
        try FileManager.default.moveItem(
            atPath: latest,
            toPath: "\(folder.path)/checkpoints/\(step)"
        )
        #expect(try PublishedModel(path: folder.path).checkpoint.path.hasSuffix("/\(step)"))
        let other = "step-002599-epoch-00-loss=0.9.pt"
        try folder.write(Data(), to: "checkpoints/\(other)")
        let message = try refusal(of: folder)
        #expect(message.contains("/checkpoints: the folder has several checkpoints; give one"))
        #expect(message.hasSuffix(": \(other), \(step)"), "\(message)")
    }

    @Test
    func `a folder that has none is told what is looked for`() throws {
        let folder = try PublishedFolder("mamba-hf")
        try FileManager.default.removeItem(atPath: "\(folder.path)/model.safetensors")
        #expect(try refusal(of: folder).contains("no checkpoint: none of model.safetensors.index"))
    }

    @Test(arguments: ["state_dict.", "module.", "state_dict.module."])
    func `what training puts before all names`(prefix: String) throws {
        let model = try AlteredCheckpoint("mamba-hf")
        var shapes = Dictionary(
            uniqueKeysWithValues: model.shapes.map { (prefix + $0.key, $0.value) }
        )
        #expect(try model.refusal(of: shapes, ConversionOptions()) == nil)
        shapes[prefix + "backbone.norm_f.weight"] = nil
        let message = try model.refusal(of: shapes, ConversionOptions()) ?? ""
        let expected = "'\(prefix)backbone.norm_f.weight' of shape [32] is missing"
        #expect(message.contains(expected), "\(message)")
    }

    /// Libraries leave out a tensor that shares its bytes with another one.
    @Test(arguments: ["cobra", "mamba", "mamba2"])
    func `without a head the embedding is the head`(name: String) throws {
        let model = try AlteredCheckpoint(name)
        try model.write(model.shapes.filter { !$0.key.hasSuffix("lm_head.weight") })
        var options = ConversionOptions()
        options.vision = (VisionTests.visionOptions[name] ?? []).map { Fixture($0).path }
        let plans = try ModelConversion.plans(
            for: PublishedModel(path: model.folder.path),
            options
        )
        let names = try #require(plans.first).steps.map(\.mapping.name)
        #expect(names.contains("token_embd.weight") && !names.contains("output.weight"))
    }
}
