// SPDX-License-Identifier: Apache-2.0

extension MemoryPlan {
    /// The arena over the steps of a run, as text: each column some steps, each row some bytes, the
    /// highest address on top; a cell shows the letter of the buffer that lies there.
    ///
    /// State is drawn as `=`, unused bytes as `.`; the letters of scratch buffers follow the order
    /// of `requests` and repeat after 52.
    public func drawing(columns: Int = 72, rows: Int = 24) -> String {
        guard requiredBytes > 0, columns > 0, rows > 0 else { return "" }
        var text = ""
        for row in (0..<rows).reversed() {
            let address = position(row, of: rows, in: requiredBytes)
            text += "|"
            for column in 0..<min(columns, stepCount) {
                let step = position(column, of: min(columns, stepCount), in: stepCount)
                text += cell(address: address, step: step)
            }
            text += "| " + MemoryPlan.mebibytes(address) + "\n"
        }
        return text
    }

    /// The letter of a scratch buffer in the drawing, `=` for a state.
    public func mark(of index: Int) -> String {
        guard requests[index].memoryClass == .scratch else { return "=" }
        var ordinal = 0
        for other in 0..<index where requests[other].memoryClass == .scratch { ordinal += 1 }
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        return String(decoding: [letters[ordinal % letters.count]], as: UTF8.self)
    }

    /// A count of bytes in MiB with two digits behind the point.
    public static func mebibytes(_ byteCount: Int) -> String {
        let hundredths = (byteCount * 100 + (1 << 19)) >> 20
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) MiB"
    }

    private func cell(address: Int, step: Int) -> String {
        for index in requests.indices {
            let request = requests[index]
            if request.firstStep <= step, step <= request.lastStep, offsets[index] <= address,
                address < offsets[index] + request.byteCount
            {
                return mark(of: index)
            }
        }
        return "."
    }

    /// The middle of one of `count` equal parts of a range from 0.
    private func position(_ part: Int, of count: Int, in length: Int) -> Int {
        (2 * part + 1) * length / (2 * count)
    }
}
