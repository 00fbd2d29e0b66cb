// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusKernels

/// Refuses a name in OCELLUS_KERNELS of kernels that this processor does not run; an empty one is none.
///
/// Throws: `CommandError`, a wrong command line.
public func checkKernelChoice() throws(CommandError) {
    guard let name = unsafe getenv("OCELLUS_KERNELS").map({ unsafe String(cString: $0) }),
        !name.isEmpty, name != instructionSetName()
    else { return }
    throw .usage(
        "OCELLUS_KERNELS=\(name): this processor runs no such kernels; it would choose "
            + "\(instructionSetName()) itself"
    )
}
