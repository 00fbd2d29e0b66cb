// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusMemory

/// The parameters of one block of a vision transformer, by llama.cpp's names.
struct EncoderBlock {
    let norm1: LayerNorm  // ln1
    let query: Linear
    let key: Linear
    let value: Linear
    let attentionOut: Linear
    /// One factor per channel of the attention's result (LayerScale of DINOv2).
    let scale1: WeightVector?  // ls1
    let norm2: LayerNorm  // ln2
    let gate: Linear?  // ffn_gate, in ViTamin
    let up: Linear
    let down: Linear
    let scale2: WeightVector?  // ls2

    /// Finds the parameters of `name`, which ends with a point.
    ///
    /// Two habits of llama.cpp's converters are known by the shapes: query, key and value as one tensor
    /// `attn_qkv`, and the older names in which `ffn_down` widens and `ffn_up` narrows.
    init(
        _ name: String,
        configuration c: VisionConfiguration,
        file: borrowing ModelFile
    ) throws(ModelError) {
        let (d, width) = (c.dVision, c.feedForwardWidth)
        if file.hasTensor(name + "attn_qkv.weight") {
            let joined = try Linear(
                name + "attn_qkv",
                outputs: 3 * d,
                inputs: d,
                partCount: 3,
                file: file
            )
            query = joined.outputs(0..<d)
            key = joined.outputs(d..<2 * d)
            value = joined.outputs(2 * d..<3 * d)
        } else {
            query = try Linear(name + "attn_q", outputs: d, inputs: d, file: file)
            key = try Linear(name + "attn_k", outputs: d, inputs: d, file: file)
            value = try Linear(name + "attn_v", outputs: d, inputs: d, file: file)
        }
        attentionOut = try Linear(name + "attn_out", outputs: d, inputs: d, file: file)

        let down = file.tensor(name + "ffn_down.weight")?.shape ?? []
        let isSwapped = down == [d, width] && d != width
        let (upName, downName) = isSwapped ? ("ffn_down", "ffn_up") : ("ffn_up", "ffn_down")
        gate =
            file.hasTensor(name + "ffn_gate.weight")
            ? try Linear(name + "ffn_gate", outputs: width, inputs: d, file: file) : nil
        up = try Linear(name + upName, outputs: width, inputs: d, file: file)
        self.down = try Linear(name + downName, outputs: d, inputs: width, file: file)

        norm1 = try LayerNorm(name + "ln1", width: d, file: file)
        norm2 = try LayerNorm(name + "ln2", width: d, file: file)
        func scale(_ part: String) throws(ModelError) -> WeightVector? {
            let name = name + part + ".weight"
            guard file.hasTensor(name) else { return nil }
            return try reading { () throws(ModelFileError) in try file.vector(name, count: d) }
        }
        (scale1, scale2) = (try scale("ls1"), try scale("ls2"))
    }
}
