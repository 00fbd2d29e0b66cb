// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// Rounded down.
    var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }

    /// As people say it: `0.3 s`, `12 s`, `5 min`.
    var roundedText: String {
        let tenths = components.seconds * 10 + components.attoseconds / 100_000_000_000_000_000
        if tenths < 100 { return "\(tenths / 10).\(tenths % 10) s" }
        return tenths < 6000 ? "\(tenths / 10) s" : "\(tenths / 600) min"
    }
}
