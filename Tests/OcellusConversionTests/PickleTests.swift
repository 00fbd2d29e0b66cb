// SPDX-License-Identifier: Apache-2.0
import OcellusConversion
import Testing

/// Files of PyTorch with a tensor that is not read (scripts/references/unread_types.py).
struct PickleTests {
    @Test(arguments: [
        ("float8", "'odd.weight' has the type torch.float8_e4m3fn, which is not read"),
        ("uint16", "'odd.weight' has the type torch.uint16, which is not read"),
        ("complex", "'odd.weight' has the type torch.ComplexFloatStorage, which is not read"),
        ("quantised", "'weight' is of a kind that is not read (_rebuild_qtensor)"),
        ("sparse", "'weight' is of a kind that is not read (_rebuild_sparse_tensor)"),
        ("meta", "'weight' is of a kind that is not read (_rebuild_meta_tensor_no_storage)"),
    ])
    func `a tensor of another type is told as such`(name: String, expected: String) throws {
        let path = Fixture("../pickles/\(name).bin").path
        let error = #expect(throws: ConversionError.self) { _ = try Checkpoint(path: path) }
        let message = error?.description ?? ""
        #expect(message.hasPrefix("\(path): the tensor \(expected)"), "\(message)")
    }
}
