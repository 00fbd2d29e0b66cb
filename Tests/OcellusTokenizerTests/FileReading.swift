// SPDX-License-Identifier: Apache-2.0
import Foundation

/// All bytes of a file.
func readFile(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}
