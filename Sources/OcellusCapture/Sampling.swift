// SPDX-License-Identifier: Apache-2.0

/// Which frames of a source are taken.
enum Sampling {
    /// Each one.
    case all
    /// The first one at or after each multiple of a time.
    case every(Duration)
    /// So many, each in the middle of its share of the source.
    case evenly(Int)

    /// The position of the n-th of `count` frames in a source of `total`: the frame that ends at, or is
    /// shown in, the middle of its share.
    static func evenPosition(_ n: Int, of count: Int, in total: Int) -> Int {
        total <= count ? n : ((2 * n + 1) * total - 1) / (2 * count)
    }
}
