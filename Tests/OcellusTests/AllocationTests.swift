// SPDX-License-Identifier: Apache-2.0
import CAllocationCounter
import Glibc
import Ocellus
import OcellusImage
import Testing

/// Promise 1: after start, nothing is allocated.
@Suite(.serialized) struct AllocationTests {
    @Test func theCounterCounts() {
        let before = allocation_count()
        let array = [Int](repeating: 7, count: Int.random(in: 1000...2000))
        #expect(allocation_count() > before)
        #expect(array[999] == 7)
    }

    @Test func theCounterCountsThreadsThatWereStarted() {
        let before = allocation_count()
        var thread = pthread_t()
        let allocate: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { _ in
            var block: UnsafeMutableRawPointer?
            for size in 1...1000 { block = realloc(block, size) }
            return block
        }
        #expect(pthread_create(&thread, nil, allocate, nil) == 0)
        var block: UnsafeMutableRawPointer?
        pthread_join(thread, &block)
        free(block)
        #expect(allocation_count() >= before + 1000)
    }

    @Test("a whole question allocates nothing", arguments: [1, 2])
    func aQuestionAllocatesNothing(threadCount: Int) throws {
        var session = try Session.shipped(threadCount: threadCount)
        let frame = try session.picture(fixture: "photos/cat.jpg")
        let prompt = try session.prompt("What do you see?")
        let choices = try session.choices(["yes", "no"])
        let sampled = Sampling(temperature: 0.8, topK: 20, topP: 0.9, seed: 3)
        var answer = Answer(capacity: 32)
        var probabilities: [Float] = []
        probabilities.reserveCapacity(2)

        let before = allocation_count()
        try session.see(frame)
        session.answer(prompt, maximumTokens: 32, into: &answer)
        session.answer(prompt, sampling: sampled, maximumTokens: 32, into: &answer)
        session.answer(prompt, choices: choices, probabilities: &probabilities, into: &answer)
        try session.see(frame)
        session.reset()
        #expect(allocation_count() == before)
    }

    @Test(
        "no memory allocates, not even to rebuild the state",
        arguments: StreamMemoryTests.memories
    )
    func noMemoryAllocates(memory: StreamMemory) throws {
        var session = try Session.shipped(memory: memory, unchangedThreshold: 2)
        let prompt = try session.prompt("Did you see a cat?")
        var answer = Answer(capacity: 32)
        for name in StreamMemoryTests.frames {
            let frame = try session.picture(fixture: name)
            let before = allocation_count()
            try session.see(frame)
            session.answer(prompt, maximumTokens: 32, into: &answer)
            #expect(allocation_count() == before)
        }
    }

    @Test func reusingMapsAllocatesNothing() throws {
        var session = try Session.shipped(reuseThreshold: 0)
        for name in StreamMemoryTests.frames {
            let frame = try session.picture(fixture: name)
            let before = allocation_count()
            try session.see(frame)
            session.reset()
            #expect(allocation_count() == before)
        }
    }
}
