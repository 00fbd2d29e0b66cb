// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusCapture

@Suite struct LatestFrameTests {
    @Test func thereIsNothingAtFirst() {
        #expect(LatestFrame(slotByteCount: 4).take() == nil)
    }

    @Test func theNewestWins() throws {
        let latest = LatestFrame(slotByteCount: 4)
        #expect(latest.put(1) == false)
        #expect(latest.put(2) == true)
        #expect(latest.put(3) == true)
        let taken = try #require(latest.take())
        #expect(taken.picture.number == 3 && taken.bytes[0] == 3 && taken.bytes.count == 1)
        #expect(latest.take() == nil)
        #expect(latest.put(4) == false)
        #expect(taken.bytes[0] == 3)
        #expect(try #require(latest.take()).picture.number == 4)
    }

    @Test("a picture that is read is never written to")
    func noPictureIsTorn() async {
        let count = 200_000
        let latest = LatestFrame(slotByteCount: 64)
        let writer = Task.detached {
            for number in 1...count { latest.fill(number) }
        }
        var last = 0
        while last < count {
            guard let taken = latest.take() else {
                await Task.yield()
                continue
            }
            #expect(taken.picture.number > last)
            last = taken.picture.number
            let isWhole = (0..<64).allSatisfy { taken.bytes[$0] == UInt8(truncatingIfNeeded: last) }
            #expect(isWhole)
        }
        await writer.value
    }
}

extension LatestFrame {
    /// Publishes a picture of one byte.
    fileprivate func put(_ number: Int) -> Bool {
        slot[0] = UInt8(number)
        return publish(CapturedPicture(byteCount: 1, number: number))
    }

    /// Publishes a picture that is full of its number.
    fileprivate func fill(_ number: Int) {
        for index in 0..<64 { slot[index] = UInt8(truncatingIfNeeded: number) }
        _ = publish(CapturedPicture(byteCount: 64, number: number))
    }
}
