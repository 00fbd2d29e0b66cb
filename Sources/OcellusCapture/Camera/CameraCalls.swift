// SPDX-License-Identifier: Apache-2.0
import CV4L2

/// The system calls by which a camera is reached.
@safe
struct CameraCalls {
    /// The table; it is never freed.
    let table: UnsafePointer<cv4l2_calls>

    /// A table that outlives every camera that is opened by it.
    @unsafe
    init(table: UnsafePointer<cv4l2_calls>) {
        unsafe self.table = table
    }

    /// The kernel's.
    static var kernel: CameraCalls { unsafe CameraCalls(table: cv4l2_kernel_calls()) }

    /// libv4l2's, which turn the formats of odd cameras into usual ones; nil if it is not installed.
    static var library: CameraCalls? {
        guard let table = unsafe cv4l2_library_calls() else { return nil }
        return unsafe CameraCalls(table: table)
    }
}

/// How a camera is reached: as it is, or if it has no format that Ocellus reads, through a library that
/// makes one.
///
/// Never through the library otherwise: it also decodes JPEGs, at their full size, and gives damaged ones
/// as if they were whole.
struct CameraAccess {
    /// The camera as it is.
    let direct: CameraCalls
    /// The library, loaded by the first call; nil if it is not installed.
    let converting: () -> CameraCalls?

    /// By the kernel and libv4l2.
    static var system: CameraAccess {
        CameraAccess(direct: .kernel, converting: { CameraCalls.library })
    }
}
