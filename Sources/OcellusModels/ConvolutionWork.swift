// SPDX-License-Identifier: Apache-2.0

/// What the convolutions of a vision encoder take, in multiply-adds.
public struct ConvolutionWork: Sendable {
    /// Those that were computed.
    public private(set) var done: Int
    /// Those of whole pictures.
    public private(set) var whole: Int

    /// No convolutions.
    public init() { self.init(done: 0, whole: 0) }

    init(done: Int, whole: Int) {
        (self.done, self.whole) = (done, whole)
    }

    /// The share that was not computed, 0 to 1.
    public var skippedShare: Double {
        whole > 0 ? Double(whole - done) / Double(whole) : 0
    }

    /// Adds that of other convolutions.
    @_noAllocation @_noLocks
    public mutating func add(_ other: ConvolutionWork) {
        done += other.done
        whole += other.whole
    }
}
