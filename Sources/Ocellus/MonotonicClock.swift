// SPDX-License-Identifier: Apache-2.0
import CLibc

/// The time of a clock that never goes back, in nanoseconds.
///
/// The corresponding C call is `clock_gettime(CLOCK_MONOTONIC)`.
@_noAllocation @_noLocks
public func monotonicNanoseconds() -> Int64 {
    clibc_monotonic_nanoseconds()
}
