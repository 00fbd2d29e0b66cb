// SPDX-License-Identifier: Apache-2.0

/// One of the networks of a vision file that look at the same picture, and how its names begin.
///
/// The first has llama.cpp's names, so that files with one network are llama.cpp's. For a second
/// network llama.cpp has none; Cobra needs one.
struct VisionTower: Sendable {
    /// 0 for the first.
    let index: Int

    /// The beginning of the keys that llama.cpp has as well.
    var keys: String { index == 0 ? "clip.vision." : ownKeys }
    /// The beginning of the keys that llama.cpp has not.
    var ownKeys: String { index == 0 ? "ocellus.vision." : "ocellus.vision.\(index)." }
    /// The beginning of the names of tensors.
    var tensors: String { index == 0 ? "v." : "v\(index)." }
}
