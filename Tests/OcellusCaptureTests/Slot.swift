// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// Memory for the frames of a test.
final class Slot {
    let bytes: Bytes

    init(_ count: Int) {
        bytes = unsafe Bytes(
            base: .allocate(byteCount: max(count, 1), alignment: 64),
            count: count
        )
    }

    deinit { unsafe bytes.base.deallocate() }
}
