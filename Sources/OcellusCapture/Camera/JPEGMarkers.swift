// SPDX-License-Identifier: Apache-2.0

/// Whether a JPEG picture is there from its first marker to its last.
enum JPEGMarkers {
    /// Looks for the start marker at the start, and for the end marker from the end on.
    ///
    /// Cameras put zeros or garbage behind the end marker. A picture that was cut off has none: the
    /// two bytes do not occur within coded data. A whole picture is checked again when it is decoded.
    ///
    /// - Source: ITU-T T.81, B.1.1.
    @_noAllocation @_noLocks
    static func areComplete(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Bool {
        guard count >= 4 else { return false }
        let start = unsafe bytes.assumingMemoryBound(to: UInt8.self)
        guard unsafe start[0] == 0xFF, unsafe start[1] == 0xD8 else { return false }
        var index = count - 2
        while index >= 2 {
            // Safety: index + 1 is below count.
            if unsafe start[index + 1] == 0xD9, unsafe start[index] == 0xFF { return true }
            index -= 1
        }
        return false
    }
}
