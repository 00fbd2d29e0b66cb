// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusKernels
import OcellusMemory

/// Chooses tokens from logits, in memory that was planned.
///
/// With a temperature: the logits become a heap of candidates, of which the most probable are taken
/// out until `topK` or `topP` is reached; one of those is drawn by its probability. No candidate
/// beyond the last one taken is ever sorted.
struct Sampler {
    private let probabilities: PlannedTensor  // (1, vocabularySize)
    private let heap: PlannedTensor  // (1, vocabularySize): token numbers, exact below 2^24

    init(vocabularySize: Int, planner: inout MemoryPlanner) {
        probabilities = planner.tensor(
            "sampler.probabilities",
            rows: 1,
            columns: vocabularySize,
            in: .scratch
        )
        heap = planner.tensor("sampler.heap", rows: 1, columns: vocabularySize, in: .scratch)
    }

    /// The next token; a draw advances the random numbers.
    @_noAllocation @_noLocks
    func sample(
        _ logits: Tensor,
        _ sampling: Sampling,
        random: inout RandomNumbers,
        in arena: borrowing Arena
    ) -> Int {
        guard sampling.temperature > 0 else { return argmax(logits) }
        let p = arena[probabilities]
        // The greatest becomes 0, so that no temperature makes an infinity of it.
        let greatest = logits[0, argmax(logits)]
        for token in 0..<logits.columns {
            p[0, token] = (logits[0, token] - greatest) / sampling.temperature
        }
        softmax(p)
        let heap = arena[self.heap]
        let wanted = sampling.topK > 0 ? min(sampling.topK, p.columns) : p.columns
        for token in 0..<p.columns { heap[0, token] = Float(token) }
        for root in stride(from: p.columns / 2 - 1, through: 0, by: -1) {
            sink(root, size: p.columns, heap, p)
        }
        // Taken candidates gather behind the heap, the most probable last.
        var size = p.columns
        var mass: Float = 0
        while size > 0, p.columns - size < wanted, mass < sampling.topP || size == p.columns {
            let taken = heap[0, 0]
            size -= 1
            heap[0, 0] = heap[0, size]
            heap[0, size] = taken
            mass += p[0, Int(taken)]
            sink(0, size: size, heap, p)
        }
        var remaining = random.nextUnit() * mass
        var position = p.columns - 1
        while position > size {
            remaining -= p[0, Int(heap[0, position])]
            if remaining < 0 { break }
            position -= 1
        }
        return Int(heap[0, position])
    }

    @_noAllocation @_noLocks
    private func sink(_ start: Int, size: Int, _ heap: Tensor, _ p: Tensor) {
        var parent = start
        while true {
            var largest = parent
            for child in (2 * parent + 1)...(2 * parent + 2) where child < size {
                if p[0, Int(heap[0, child])] > p[0, Int(heap[0, largest])] { largest = child }
            }
            if largest == parent { return }
            let moved = heap[0, parent]
            heap[0, parent] = heap[0, largest]
            heap[0, largest] = moved
            parent = largest
        }
    }
}

/// Reproducible random numbers.
///
/// - Source: Steele, Lea and Flood 2014, SplitMix64.
struct RandomNumbers {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// A number in 0..<1, of 24 random bits.
    @_noAllocation @_noLocks
    mutating func nextUnit() -> Float {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return Float(z >> 40) / Float(1 << 24)
    }
}
