// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusMemory

/// The picture as another network wants it normalised.
///
///     other[c, i] = (x[c, i] * deviation[c] + mean[c] - otherMean[c]) / otherDeviation[c]
///
/// The same bytes give both pictures: they are resized once, where the networks' own preprocessors
/// would resize them twice in the same way.
struct PictureNormalization {
    private let scale: SIMD3<Float>
    private let shift: SIMD3<Float>

    /// Reads the norms of the first network's pictures and of another's.
    init(
        file: borrowing ModelFile,
        from first: VisionTower,
        to other: VisionTower
    ) throws(ModelError) {
        func channels(_ key: String) throws(ModelError) -> SIMD3<Float> {
            let values = try reading { () throws(ModelFileError) in try file.floats(key) }
            guard values.count == 3, values.allSatisfy({ $0.isFinite }) else {
                throw .unsupported(path: file.path, what: "\(key) is not three numbers")
            }
            return SIMD3(values[0], values[1], values[2])
        }
        let deviation = try channels(other.keys + "image_std")
        guard deviation[0] > 0, deviation[1] > 0, deviation[2] > 0 else {
            throw .unsupported(path: file.path, what: "\(other.keys)image_std is not above 0")
        }
        let mean = try channels(first.keys + "image_mean")
        scale = try channels(first.keys + "image_std") / deviation
        shift = (mean - (try channels(other.keys + "image_mean"))) / deviation
    }

    /// - Shapes: x, out (3, pixels).
    @_noAllocation @_noLocks
    func run(_ x: Tensor, into out: Tensor) {
        for channel in 0..<3 {
            for pixel in 0..<x.columns {
                out[channel, pixel] = x[channel, pixel] * scale[channel] + shift[channel]
            }
        }
    }
}
