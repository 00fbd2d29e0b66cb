// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat

/// How far an interrupted conversion has come: kept beside the file that is being written.
///
/// Tensors are counted once their bytes are durable. A conversion goes on from here if it would write
/// the same header, hence the same tensors, from checkpoint files of the same names, sizes and times.
struct ResumePoint {
    private let path: String
    private let fingerprint: String

    /// The point for a file, of a conversion with these headers and these sources.
    init(for target: String, header: UInt64, files: [String]) {
        path = "\(target).partial.state"
        var fingerprint = String(header, radix: 16)
        for file in files {
            let attributes = try? FileManager.default.attributesOfItem(atPath: file)
            let size = (attributes?[.size] as? NSNumber)?.intValue ?? -1
            let time = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            fingerprint += " \(file) \(size) \(time)"
        }
        self.fingerprint = fingerprint
    }

    /// The count of complete tensors, or nil if there is no such conversion to go on with.
    func load() -> Int? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n")
        guard lines.count == 2, lines[0] == fingerprint else { return nil }
        return Int(lines[1])
    }

    /// Tells that this many tensors are durable.
    func save(tensorCount: Int) throws {
        var file = try AtomicFile(path: path)
        try file.write(Array("\(fingerprint)\n\(tensorCount)\n".utf8))
        try file.commit()
    }

    /// Forgets the conversion.
    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
