// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// How the rows of quantised matrices lie in a file that is written.
public enum RowOrder {
    /// As in the original; what is rounded lies row by row.
    case original
    /// Interleaved where there is such a type: packed for the kernels (`WeightType`).
    case packed
    /// Row by row, as other programs read them.
    case plain
}

/// Brings whole groups of rows from one order into the other, byte by byte.
enum RowInterleaving {
    private static let rowCount = WeightType.groupRowCount
    private static let scaleByteCount = 2
    private static let wordByteCount = 4

    /// Interleaves rows.
    ///
    /// - Parameters:
    ///   - rows: Rows of blocks, one behind the other.
    ///   - blockCount: How many blocks a row has.
    ///   - type: The type of the blocks.
    /// - Returns: The same blocks in groups; rows that fill none are the last.
    static func packed(
        _ rows: UnsafeRawBufferPointer,
        blockCount: Int,
        type: WeightType
    ) -> [UInt8] {
        moved(rows, blockCount: blockCount, type: type) { ($0, $1) }
    }

    /// Undoes `packed`.
    static func unpacked(
        _ groups: UnsafeRawBufferPointer,
        blockCount: Int,
        type: WeightType
    ) -> [UInt8] {
        moved(groups, blockCount: blockCount, type: type) { ($1, $0) }
    }

    /// Moves the scale and the words of each block between its place in a row and its place in a group.
    private static func moved(
        _ bytes: UnsafeRawBufferPointer,
        blockCount: Int,
        type: WeightType,
        direction: (_ inRow: Int, _ inGroup: Int) -> (from: Int, to: Int)
    ) -> [UInt8] {
        let blockByteCount = type.blockByteCount
        let groupByteCount = rowCount * blockCount * blockByteCount
        var result = [UInt8](bytes)
        func move(_ count: Int, _ inRow: Int, _ inGroup: Int) {
            let (from, to) = direction(inRow, inGroup)
            for index in 0..<count { result[to + index] = bytes[from + index] }
        }
        for group in 0..<bytes.count / groupByteCount {
            for row in 0..<rowCount {
                for block in 0..<blockCount {
                    var inRow = group * groupByteCount + (row * blockCount + block) * blockByteCount
                    let start = group * groupByteCount + block * rowCount * blockByteCount
                    move(scaleByteCount, inRow, start + row * scaleByteCount)
                    inRow += scaleByteCount
                    let words = start + rowCount * scaleByteCount + row * wordByteCount
                    for word in 0..<(blockByteCount - scaleByteCount) / wordByteCount {
                        move(
                            wordByteCount,
                            inRow + word * wordByteCount,
                            words + word * rowCount * wordByteCount
                        )
                    }
                }
            }
        }
        return result
    }
}
