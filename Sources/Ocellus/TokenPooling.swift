// SPDX-License-Identifier: Apache-2.0
import OcellusKernels
import OcellusMemory

/// The tokens of a frame in few: its frame token, if the model has one, and means of its image
/// tokens.
///
///     p[j] = mean of t[i] over the image tokens i of share j
///
/// One share is all of the picture; two are its upper and its lower half.
struct TokenPooling {
    /// The count of tokens that are left of a frame.
    let tokenCount: Int
    private let frameTokenCount: Int
    private let shareCount: Int

    init(shareCount: Int, imageTokenCount: Int, frameTokenCount: Int) {
        self.shareCount = min(shareCount, imageTokenCount)
        self.frameTokenCount = frameTokenCount
        tokenCount = frameTokenCount + self.shareCount
    }

    /// Pools the tokens of a frame into `out`, (tokenCount, dModel).
    @_noAllocation @_noLocks
    func pool(_ tokens: Tensor, into out: Tensor) {
        out.prefix(rows: frameTokenCount).copy(from: tokens.prefix(rows: frameTokenCount))
        let image = tokens.rows(frameTokenCount..<tokens.rows)
        for share in 0..<shareCount {
            let first = share * image.rows / shareCount
            let end = (share + 1) * image.rows / shareCount
            let row = frameTokenCount + share
            meanRows(image.rows(first..<end), into: out.rows(row..<row + 1))
        }
    }
}
