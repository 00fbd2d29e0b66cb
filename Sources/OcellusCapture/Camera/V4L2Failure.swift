// SPDX-License-Identifier: Apache-2.0
import CLibc

/// A system call on a camera that failed.
struct V4L2Failure: Error {
    /// The call, such as VIDIOC_STREAMON.
    let call: String
    /// The value of `errno`.
    let number: Int32

    /// Throws if a call of CV4L2 returned an error.
    static func check(_ result: Int32, _ call: String) throws(V4L2Failure) {
        if result < 0 { throw V4L2Failure(call: call, number: -result) }
    }

    /// Whether the device is gone.
    var isUnplugged: Bool { number == ENODEV || number == ENXIO }

    /// What it means for the one who wants pictures of a device.
    func fault(path: String) -> CaptureFault {
        switch number {
        case EBUSY: .busy(path: path)
        case EACCES, EPERM: .noPermission(path: path)
        case ENOENT, ENOTDIR, ENODEV, ENXIO: .absent(path: path)
        default: .failed(path: path, call: call, reason: SystemError.reason(number))
        }
    }
}
