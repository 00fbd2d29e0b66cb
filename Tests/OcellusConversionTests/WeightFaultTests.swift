// SPDX-License-Identifier: Apache-2.0
import OcellusConversion
import OcellusMemory
import Testing

/// Weights that a file cannot hold: the tensor of the checkpoint that has them is named, with the place in it.
struct WeightFaultTests {
    @Test(
        arguments: [
            (
                "mamba-hf", "backbone.norm_f.weight", 3, .nan,
                "the weight nan at element 3, which F32"
            ),
            (
                "dinov2-timm", "blocks.0.attn.qkv.weight", 581, .infinity,
                "the weight inf at element 581, which F32 cannot hold"
            ),
            (
                "mobilenet-v1-hf", "layer.10.normalization.running_mean", 7, .nan,
                "the weight nan at element 7, which F32 cannot hold"
            ),
            (
                "mobilenet-v1-hf", "layer.10.normalization.running_var", 7, -1,
                "the variance -1.0 at element 7, which is below 0"
            ),
            (
                "mobilenet-v2-timm", "blocks.0.0.bn1.weight", 2, -.infinity,
                "the weight -inf at element 2, which F32 cannot hold"
            ),
            (
                "mobileclip-timm", "stages.0.blocks.0.token_mixer.norm.identity.bias", 1, .nan,
                "the weight nan at element 1, which F32 cannot hold"
            ),
            (
                "mobileclip-timm", "stages.3.blocks.0.norm.running_var", 5, -2,
                "the variance -2.0 at element 5, which is below 0"
            ),
        ] as [(String, String, Int, Float, String)]
    )
    func `a value that cannot be`(
        name: String,
        tensor: String,
        index: Int,
        value: Float,
        expected: String
    ) throws {
        let folder = try PublishedFolder(name)
        try folder.set(tensor, at: index, to: value)
        let message = try refusal(of: folder)
        let file = "\(folder.path)/model.safetensors"
        #expect(message.hasPrefix("\(file): the tensor '\(tensor)' has \(expected)"), "\(message)")
    }

    @Test
    func `what finite values make`() throws {
        let decoder = try PublishedFolder("mamba-hf")
        try decoder.set("backbone.layers.0.mixer.A_log", at: 9, to: 100)
        let message = try refusal(of: decoder)
        let expected =
            "the tensor 'blk.0.ssm_a', which is made of 'backbone.layers.0.mixer.A_log', would have the "
            + "weight -inf at element 9, which F32 cannot hold"
        #expect(message.contains(expected), "\(message)")
        let network = try PublishedFolder("mobilenet-v1-hf")
        try network.set("layer.10.normalization.weight", at: 0, to: 1e9)
        var options = ConversionOptions()
        options.type = .f16
        let folded = try refusal(of: network, options)
        #expect(folded.contains("the tensor 'v.cnn.11.weight', which is made of "), "\(folded)")
        #expect(folded.contains("'layer.10.normalization.weight', "), "\(folded)")
        #expect(folded.contains("which F16 cannot hold"), "\(folded)")
    }
}
