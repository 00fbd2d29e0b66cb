// SPDX-License-Identifier: Apache-2.0

/// The 256 colours of xterm: after 16 that users choose, a cube of 6 levels for each of red, green and
/// blue, then 24 grays.
enum TerminalPalette {
    /// The number of the nearest colour of cube and grays.
    static func nearest(_ colour: SIMD3<UInt8>) -> Int {
        var steps = SIMD3<Int>()
        var cube = SIMD3<Int>()
        for channel in 0..<3 {
            // Levels 0, 95, 135, 175, 215, 255.
            let value = Int(colour[channel])
            steps[channel] = value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40
            cube[channel] = steps[channel] == 0 ? 0 : 55 + 40 * steps[channel]
        }
        let mean = (Int(colour.x) + Int(colour.y) + Int(colour.z)) / 3
        let grayStep = max(0, min(23, (mean - 3) / 10))  // 8, 18, ... 238
        let gray = SIMD3(repeating: 8 + 10 * grayStep)
        return distance(gray, colour) < distance(cube, colour)
            ? 232 + grayStep
            : 16 + 36 * steps.x + 6 * steps.y + steps.z
    }

    private static func distance(_ first: SIMD3<Int>, _ second: SIMD3<UInt8>) -> Int {
        let difference = first &- SIMD3(truncatingIfNeeded: second)
        return (difference &* difference).wrappedSum()
    }
}
