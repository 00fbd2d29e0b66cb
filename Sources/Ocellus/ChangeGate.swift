// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// Measures how much a frame differs from the last one that was encoded.
///
/// The pixels that the encoder would read are averaged over blocks of 8 x 8; the change is the
/// greatest difference of a block's mean, in steps of 1/255 of the range of a sample:
///
///     change = max over blocks b and channels c of 255 s[c] |mean[b, c] - reference[b, c]|
///
/// with s the deviation that the pixels were divided by. The means of a block hardly feel the noise
/// of a sensor (its deviation falls to an eighth), and the reference is the last frame that was
/// encoded, so a slow drift adds up until it counts.
struct ChangeGate {
    /// The width and height of a block in pixels.
    static var blockSide: Int { 8 }

    private let side: Int
    private let blocks: Int
    private let scale: SIMD3<Float>
    /// The block means of the last encoded frame, (3, blocks * blocks).
    let reference: PlannedTensor
    private let means: PlannedTensor  // (3, blocks * blocks)

    /// Plans the means of pictures of `side` x `side` pixels that were divided by `deviation`.
    init(side: Int, deviation: SIMD3<Float>, planner: inout MemoryPlanner) {
        self.side = side
        blocks = (side + Self.blockSide - 1) / Self.blockSide
        scale = 255 * deviation
        let count = blocks * blocks
        reference = planner.tensor("gate.reference", rows: 3, columns: count, in: .state)
        means = planner.tensor("gate.means", rows: 3, columns: count, in: .state)
    }

    /// The change of a frame since the reference; its block means are kept for `keep`.
    ///
    /// - Shapes: pixels (3, side * side).
    @_noAllocation @_noLocks
    func change(of pixels: Tensor, in arena: borrowing Arena) -> Float {
        let (means, reference) = (arena[self.means], arena[self.reference])
        var greatest: Float = 0
        for channel in 0..<3 {
            average(pixels, channel: channel, into: means)
            for block in 0..<means.columns {
                let difference = means[channel, block] - reference[channel, block]
                greatest = max(greatest, scale[channel] * abs(difference))
            }
        }
        return greatest
    }

    /// Makes the frame that was measured last the reference.
    @_noAllocation @_noLocks
    func keep(in arena: borrowing Arena) {
        arena[reference].copy(from: arena[means])
    }

    @_noAllocation @_noLocks
    private func average(_ pixels: Tensor, channel: Int, into means: Tensor) {
        let picture = pixels.rows(channel..<channel + 1).reshaped(rows: side, columns: side)
        for blockRow in 0..<blocks {
            let firstRow = blockRow * Self.blockSide
            let rowEnd = min(firstRow + Self.blockSide, side)
            for blockColumn in 0..<blocks {
                let firstColumn = blockColumn * Self.blockSide
                let columnEnd = min(firstColumn + Self.blockSide, side)
                var sum: Float = 0
                for row in firstRow..<rowEnd {
                    for column in firstColumn..<columnEnd { sum += picture[row, column] }
                }
                means[channel, blockRow * blocks + blockColumn] =
                    sum / Float((rowEnd - firstRow) * (columnEnd - firstColumn))
            }
        }
    }
}
