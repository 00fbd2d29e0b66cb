// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import OcellusFormat

/// `ocellus-kit inspect`: what is in a model file.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show the metadata and the tensors of a GGUF file or of a model.",
        discussion: """
            Shapes are in GGUF's order: the first dimension varies fastest, so a matrix is (columns, \
            rows). Tensors of types that ocellus does not compute with are listed and marked with *. \
            The checksum is the one by which a saved state knows its model; --sha256 adds those by which \
            people know files and tensors, and reads all of the file for it.

            With --json, one object: file, version, bytes, alignment, dataOffset, checksum, sha256, \
            architecture, name, license, promptTemplate, metadata (key, type, value), tensors (name, \
            type, shape, offset, bytes, computable, sha256), totals (per type: tensors, elements, bytes); \
            of a folder: files, a list of these.

            examples:
              ocellus-kit inspect models/ommatidium
              ocellus-kit inspect models/ommatidium/decoder.gguf --sha256
              ocellus-kit inspect --json model.gguf | python3 -m json.tool
            """
    )

    @Argument(help: "A GGUF file, or a folder with decoder.gguf, vision.gguf, or both.")
    var file: String
    @Flag(help: "Add the SHA-256 of the file and of each tensor.")
    var sha256 = false
    @Flag(help: "Print one JSON object, with lists in full.")
    var json = false

    func run() throws {
        guard isFolder(file) else {
            let report = try report(of: file)
            if json { try printJSON(report) } else { printText(report) }
            return
        }
        let reports = try modelFiles(in: file).map { try report(of: "\(file)/\($0)") }
        if json { return try printJSON(["files": reports]) }
        for (index, report) in reports.enumerated() {
            if index > 0 { print("") }
            printText(report)
        }
    }

    private func report(of path: String) throws -> FileReport {
        let model = try describing { try ModelFile(path: path) }
        var report = FileReport(model)
        if sha256 { try report.addDigests(of: model) }
        return report
    }

    private func printText(_ report: FileReport) {
        printLine(report.file)
        let architecture = report.architecture.isEmpty ? "(none)" : report.architecture
        let facts: [(String, String?)] = [
            ("name", report.name),
            ("architecture", architecture),
            ("license", report.license ?? "(not stated)"),
            ("prompt template", report.promptTemplate.map(\.debugDescription)),
            ("format", "GGUF \(report.version), aligned to \(report.alignment) bytes"),
            ("size", "\(report.bytes) bytes, data from byte \(report.dataOffset)"),
            ("checksum", report.checksum),
            ("sha256", report.sha256),
        ]
        for (name, value) in facts {
            if let value { printLine("  \(padded(name, to: 16)) \(value)") }
        }

        print("")
        printLine("metadata: \(report.metadata.count) keys")
        let keyWidth = report.metadata.map(\.key.count).max() ?? 0
        let typeWidth = report.metadata.map(\.type.count).max() ?? 0
        for entry in report.metadata {
            let name = padded(entry.key, to: keyWidth)
            printLine("  \(name)  \(padded(entry.type, to: typeWidth))  \(entry.value.summary)")
        }

        print("")
        printLine("tensors: \(report.tensors.count)")
        let nameWidth = report.tensors.map(\.name.count).max() ?? 0
        for tensor in report.tensors {
            let shape = "(" + tensor.shape.map(String.init).joined(separator: ", ") + ")"
            let type = padded(tensor.type + (tensor.computable ? "" : "*"), to: 8)
            printLine(
                "  \(padded(tensor.name, to: nameWidth))  \(type) \(padded(shape, to: 20)) "
                    + padded("\(tensor.bytes) bytes", to: tensor.sha256 == nil ? 0 : 16)
                    + (tensor.sha256.map { "  \($0)" } ?? "")
            )
        }
        for total in report.totals {
            let note = total.computable ? "" : "  (not computed with)"
            printLine(
                "  total \(padded(total.type, to: 8)) \(total.tensors) tensors, "
                    + "\(total.elements) elements, \(total.bytes) bytes\(note)"
            )
        }
    }
}
