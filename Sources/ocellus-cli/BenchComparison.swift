// SPDX-License-Identifier: Apache-2.0
import CLibc
import OcellusCommand

/// Two results of `ocellus bench --json`, side by side.
struct BenchComparison {
    let earlier: JSON
    let now: JSON

    /// Reads an earlier result.
    ///
    /// - Throws: `CommandError` for a file that cannot be read, or is no result of `bench --json`.
    static func read(_ path: String) throws(CommandError) -> JSON {
        guard let text = text(of: path) else {
            throw CommandError(.noInput, "\(path) cannot be read, or has more than 1 MiB")
        }
        guard let result = JSON(parsing: text), result["decodeTokensPerSecond"] != nil else {
            throw CommandError(.badInput, "\(path) is no output of: ocellus bench --json")
        }
        return result
    }

    /// The corresponding C calls are `fopen` and `fread`.
    private static func text(of path: String) -> String? {
        let limit = 1 << 20
        guard let file = unsafe fopen(path, "re") else { return nil }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        // Safety: at most as many bytes as the array has.
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe fread(buffer.baseAddress, 1, buffer.count, file)
        }
        guard count <= limit, unsafe ferror(file) == 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// Writes a line for each number that both have.
    func write() {
        writeLine("")
        for key in ["model", "threads", "clock", "instructionSet"] {
            let (before, after) = (earlier[key]?.text ?? "none", now[key]?.text ?? "none")
            if before != after { writeLine("\(key) differs: \(before) before, \(after) now") }
        }
        writeLine(padded("compared", 24) + "       before          now   ratio")
        guard case .object(let members) = now else { return }
        for (key, value) in members {
            guard let before = (earlier[key]?["median"] ?? earlier[key])?.number,
                let after = (value["median"] ?? value).number, key != "threads"
            else { continue }
            let digits = key.hasSuffix("Bytes") || key.hasSuffix("Count") ? 0 : 2
            writeLine(
                padded(key, 24) + padded(decimal(before, digits), 13, right: true)
                    + padded(decimal(after, digits), 13, right: true)
                    + padded(decimal(after / before, 3), 8, right: true)
            )
        }
    }
}
