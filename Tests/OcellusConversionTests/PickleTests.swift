// SPDX-License-Identifier: Apache-2.0
import OcellusConversion
import Testing

/// Files of PyTorch that are not read, or have a tensor that is not (scripts/references/unread_types.py).
struct PickleTests {
    @Test(arguments: [
        ("float8", "the tensor 'odd.weight' has the type torch.float8_e4m3fn, which is not read"),
        ("uint16", "the tensor 'odd.weight' has the type torch.uint16, which is not read"),
        (
            "complex",
            "the tensor 'odd.weight' has the type torch.ComplexFloatStorage, which is not read"
        ),
        ("quantised", "the tensor 'weight' is of a kind that is not read (_rebuild_qtensor)"),
        ("sparse", "the tensor 'weight' is of a kind that is not read (_rebuild_sparse_tensor)"),
        (
            "meta",
            "the tensor 'weight' is of a kind that is not read (_rebuild_meta_tensor_no_storage)"
        ),
        ("script", "a program of TorchScript; load it with torch.jit.load and save its state_dict"),
    ])
    func `a tensor of another type is told as such`(name: String, expected: String) throws {
        let path = Fixture("../pickles/\(name).bin").path
        let error = #expect(throws: ConversionError.self) { _ = try Checkpoint(path: path) }
        let message = error?.description ?? ""
        #expect(message.hasPrefix("\(path): \(expected)"), "\(message)")
    }
}
