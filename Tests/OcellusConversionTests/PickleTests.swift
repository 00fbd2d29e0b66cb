// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OcellusConversion

/// Files of PyTorch that are not read, have a tensor that is not, or views (scripts/references/pickles.py).
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
        (
            "expanded",
            "the tensor 'odd.weight' of shape [4] has strides [0]; save it with .contiguous()"
        ),
        (
            "overlapping",
            "the tensor 'odd.weight' of shape [4, 3] has strides [1, 1]; save it with .contiguous()"
        ),
        ("script", "a program of TorchScript; load it with torch.jit.load and save its state_dict"),
    ])
    func `a tensor of another type is told as such`(name: String, expected: String) throws {
        let path = Fixture("../pickles/\(name).bin").path
        let error = #expect(throws: ConversionError.self) { _ = try Checkpoint(path: path) }
        let message = error?.description ?? ""
        #expect(message.hasPrefix("\(path): \(expected)"), "\(message)")
    }

    @Test(arguments: ["transposed", "half", "permuted", "columns", "steps"])
    func `views are read as PyTorch packs them`(name: String) throws {
        let checkpoint = try Checkpoint(path: Fixture("../pickles/views.bin").path)
        let view = try #require(checkpoint["view.\(name)"])
        let packed = try #require(checkpoint["packed.\(name)"])
        #expect(view.strides != nil && packed.strides == nil && view.shape == packed.shape)
        let count = view.elementCount
        for range in [0..<count, 1..<count, count / 2..<count - 1] {
            #expect(Self.elements(of: view, range) == Self.elements(of: packed, range))
        }
    }

    private static func elements(of tensor: SourceTensor, _ range: Range<Int>) -> [Float] {
        [Float](unsafeUninitializedCapacity: range.count) { buffer, count in
            tensor.read(range, into: UnsafeMutableBufferPointer(rebasing: buffer[..<range.count]))
            count = range.count
        }
    }
}
