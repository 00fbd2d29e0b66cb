// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// After which block of a vision transformer its features are taken.
///
/// Our files say it (`ocellus.vision.feature_layer`, counted as `hidden_states` in transformers: -1
/// is after the last block, -2 before it), or have only the blocks that run. llama.cpp's converter
/// cuts the last block and the last norm off for LLaVA and MobileVLM, whose features are those before
/// the last block; a file that still has the last norm was not cut. llama.cpp itself leaves out a block
/// of cut files as well (its issue 25817).
struct FeatureLayer {
    /// The count of blocks that run.
    let blockCount: Int
    /// Whether the norm after the last block applies.
    let hasFinalNorm: Bool

    /// Finds it, where the file's block count is known, and not negative.
    init(
        file: borrowing ModelFile,
        tower: VisionTower,
        statedBlockCount stated: Int
    ) throws(ModelError) {
        let ownKey = tower.ownKeys + "feature_layer"
        let key = file.contains(ownKey) ? ownKey : tower.keys + "feature_layer"
        let layers = try reading { () throws(ModelFileError) in
            if file.contains(ownKey) { return [try file.int(ownKey)] }
            return file.contains(key) ? try file.ints(key) : []
        }
        if let layer = layers.first {
            let count = layer < 0 ? stated + 1 + layer : layer
            guard layers.count == 1, 0...stated ~= count else {
                throw .unsupported(
                    path: file.path,
                    what: "\(key) must be one layer of \(stated), from -\(stated + 1) to \(stated)"
                )
            }
            (blockCount, hasFinalNorm) = (count, count == stated)
        } else if file.contains(tower.ownKeys + "encoder") {
            (blockCount, hasFinalNorm) = (stated, true)
        } else {
            var present = 0
            while present < stated, file.hasTensor("\(tower.tensors)blk.\(present).ln1.weight") {
                present += 1
            }
            let isWhole = present == stated && file.hasTensor(tower.tensors + "post_ln.weight")
            // More than one block missing is damage, which the reader of the blocks tells.
            let count = present < stated - 1 ? stated : present
            (blockCount, hasFinalNorm) = (isWhole ? max(count - 1, 0) : count, false)
        }
    }
}
