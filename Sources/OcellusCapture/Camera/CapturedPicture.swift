// SPDX-License-Identifier: Apache-2.0

/// What is known about a picture beside its bytes.
struct CapturedPicture {
    /// The bytes that the driver wrote.
    var byteCount = 0
    /// The position in the stream, from 0; pictures that the driver lost count too.
    var number = 0
    /// When it was taken: nanoseconds of CLOCK_MONOTONIC.
    var captureTime: Int64 = 0
}
