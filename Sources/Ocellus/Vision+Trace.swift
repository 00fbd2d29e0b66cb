// SPDX-License-Identifier: Apache-2.0
import OcellusImage
import OcellusKernels
import OcellusMemory
import OcellusModels

/// The stages of one frame.
package struct VisionTrace {
    /// (3, height, width).
    package let pixels: TracedTensor
    /// What each layer of the encoder made of them, by name: (tokens, width), with class token and registers.
    package let layers: [(name: String, tokens: TracedTensor)]
    /// (cells, dVision).
    package let features: TracedTensor
    /// (tokens, dModel).
    package let tokens: TracedTensor
}

extension Vision {
    /// Turns a frame into image tokens as a session does, and copies each stage; it allocates.
    ///
    /// - Returns: the copies, and the features (cells, dVision) and tokens (tokens, dModel) themselves,
    ///   valid until the next run of any part.
    func trace(
        _ frame: Frame,
        isFirstFrame: Bool,
        in arena: borrowing Arena,
        on pool: borrowing ThreadPool
    ) -> (stages: VisionTrace, features: Tensor, tokens: Tensor) {
        let side = encoder.configuration.imageSize
        let pixels = arena[self.pixels]
        preprocessor.run(frame, crop: nil, into: pixels, in: arena)
        let tracedPixels = TracedTensor(pixels, shape: [3, side, side])
        var layers: [(name: String, tokens: TracedTensor)] = []
        let features = encoder.trace(in: arena, on: pool) { name, tokens in
            layers.append((name, TracedTensor(tokens)))
        }
        let tracedFeatures = TracedTensor(features)
        let tokens = projector.project(features, isFirstFrame: isFirstFrame, in: arena, on: pool)
        let stages = VisionTrace(
            pixels: tracedPixels,
            layers: layers,
            features: tracedFeatures,
            tokens: TracedTensor(tokens)
        )
        return (stages, features, tokens)
    }
}
