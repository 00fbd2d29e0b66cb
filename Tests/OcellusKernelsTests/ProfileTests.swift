// SPDX-License-Identifier: Apache-2.0
import Glibc
import OcellusMemory
import Testing

@testable import OcellusKernels

/// What a profile records, and reading without computing.
extension KernelTests {
    @Test
    func `a profile has the calls of its run, in order, with their parts`() {
        let pool = ThreadPool(threadCount: 2)
        let bench = Workbench(seed: 41)
        let (w, _) = bench.weights(.q8_0, 24, 64)
        let scratch = bench.bytes(matMulScratchByteCount(tokens: 20, columns: 64))
        func run() {
            beginProfilePart(3)
            let x = bench.tensor(1, 64)
            rmsNorm(x, weight: nil, epsilon: 1e-5, into: x, on: pool)
            matMul(w, x, into: bench.tensor(1, 24), scratch: scratch, on: pool)
            beginProfilePart(0)
            let many = bench.tensor(20, 64)
            matMul(w, many, into: bench.tensor(20, 24), scratch: scratch, on: pool)
        }
        let calls = KernelProfile(limit: 100, during: run).calls
        #expect(
            calls.map(\.operation) == [
                "rms_norm", "quantize", "matmul_few", "quantize_tiles", "matmul_int8_packed",
            ]
        )
        #expect(calls.map(\.part) == [3, 3, 3, 0, 0])
        #expect(calls.allSatisfy { $0.nanoseconds >= 0 })
        #expect(KernelProfile(limit: 2, during: run).calls.count == 2)
        run()
        #expect(KernelProfile(limit: 2) {}.calls.isEmpty)
    }

    @Test
    func `weights of any size are read to their end and no further`() {
        let pool = ThreadPool(threadCount: 2)
        Self.onEachInstructionSet {
            for (rows, columns) in [(1, 1), (3, 7), (5, 97), (300, 257)] {
                let memory = GuardedMemory(byteCount: rows * columns * 4)
                let w = WeightMatrix(type: .f32, rows: rows, columns: columns, base: memory.base)
                let calls = KernelProfile(limit: 9) { readWeights(w, on: pool) }.calls
                #expect(calls.map(\.operation) == ["read_bytes"])
            }
        }
    }
}

/// Zeros that end where a page begins that nobody may touch.
private final class GuardedMemory {
    private let pages: UnsafeMutableRawPointer
    private let mappedByteCount: Int
    let base: UnsafeRawPointer

    init(byteCount: Int) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let readable = (byteCount + page - 1) / page * page
        mappedByteCount = readable + page
        pages = mmap(nil, mappedByteCount, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        mprotect(pages + readable, page, PROT_NONE)
        base = UnsafeRawPointer(pages + readable - byteCount)
    }

    deinit {
        munmap(pages, mappedByteCount)
    }
}
