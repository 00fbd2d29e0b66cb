// SPDX-License-Identifier: Apache-2.0
import CLibc

/// The texts of the C library's errors.
enum SystemError {
    /// The text for an error number; for the last error if there is none.
    static func reason(_ number: Int32 = clibc_errno()) -> String {
        // Safety: strerror returns a string, for unknown numbers too.
        unsafe String(cString: strerror(number))
    }
}
