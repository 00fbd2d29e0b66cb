// SPDX-License-Identifier: Apache-2.0
package import OcellusImage
import OcellusMemory
import OcellusModels

/// A copy of a tensor's elements, outside the arena.
package struct TracedTensor {
    /// The sizes, the slowest dimension first.
    package let shape: [Int]
    /// The elements in C order.
    package let elements: [Float]

    init(_ tensor: Tensor, shape: [Int]? = nil) {
        self.shape = shape ?? [tensor.rows, tensor.columns]
        precondition(self.shape.reduce(1, *) == tensor.count)
        let row = tensor.reshaped(rows: 1, columns: tensor.count)
        elements = (0..<tensor.count).map { row[0, $0] }
    }

    /// Tensors of equal shape as one, with a dimension in front.
    init(joining parts: [TracedTensor]) {
        shape = [parts.count] + (parts.first?.shape ?? [])
        elements = parts.flatMap { $0.elements }
    }
}

/// What `ocellus-kit trace` looks at. It allocates, and is not for the run of a device.
extension Session {
    /// Shows a frame to the session as `see` does, gate or not, and copies each stage.
    package mutating func traceFrame(_ frame: Frame) throws(OcellusError) -> VisionTrace {
        guard let vision = model.vision else { throw .noVision(path: model.path) }
        do {
            try vision.preprocessor.validate(frame.size, crop: nil)
        } catch {
            throw .image(error)
        }
        var (position, statistics) = (self.position, StreamStatistics())
        let (stages, features, tokens) = vision.trace(
            frame,
            isFirstFrame: frameCount == 0,
            in: arena,
            on: pool
        )
        remember(
            tokens,
            of: features,
            vision: vision,
            position: &position,
            statistics: &statistics
        )
        self.position = position
        frameCount += 1
        return stages
    }

    /// Folds tokens into the live state, chunk by chunk, and copies the logits after each.
    package mutating func traceTokens(_ tokens: [Int]) -> TracedTensor {
        var rows: [TracedTensor] = []
        var start = 0
        while start < tokens.count {
            let count = min(model.decoder.chunkLength, tokens.count - start)
            _ = model.decoder.prefill(
                Array(tokens[start..<start + count]),
                state: live,
                in: arena,
                on: pool
            )
            for row in 0..<count {
                let hidden = model.decoder.hiddenRow(row, in: arena)
                let logits = model.decoder.logits(of: hidden, in: arena, on: pool)
                rows.append(TracedTensor(logits, shape: [logits.columns]))
            }
            start += count
        }
        return TracedTensor(joining: rows)
    }

    /// The logits of the first token of an answer; the live state stays as it is.
    package mutating func firstLogits(after prompt: Prompt) -> [Float] {
        refreshLive()
        fork.copy(from: live)
        let hidden = model.decoder.prefill(prompt.tokens, state: fork, in: arena, on: pool)
        let logits = model.decoder.logits(of: hidden, in: arena, on: pool)
        return TracedTensor(logits, shape: [logits.columns]).elements
    }

    /// Copies the convolution histories (layers, dConv - 1, channels) and the hidden states
    /// (layers, dInner, dState) of the live state.
    package func traceState() -> (history: TracedTensor, h: TracedTensor) {
        var histories: [TracedTensor] = []
        var hiddens: [TracedTensor] = []
        for layer in 0..<live.layout.layerCount {
            let (history, h) = (live.history(layer: layer), live.h(layer: layer))
            histories.append(TracedTensor(history))
            hiddens.append(TracedTensor(h))
        }
        return (TracedTensor(joining: histories), TracedTensor(joining: hiddens))
    }
}
