// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusCommand
import OcellusFormat
import OcellusMemory

/// `ocellus plan`: the exact memory of a model, before anything is loaded.
struct PlanCommand {
    static let help = """
        usage: ocellus plan --model DIR [--json]

        Prints every buffer that a session with this model takes, where it lies in the arena and
        when it is used, and the exact size of the arena; and which weights are packed for the
        kernels (ocellus-kit quantize --pack), and which are used row by row. No weights are read,
        nothing is allocated. The same options give the same plan in bench, and in ask and watch, which
        without --max-frame plan for larger pictures if the source has some.

          --json              arenaBytes, mappedBytes, weights (type, packed, tensors, bytes) and
                              the buffers as one JSON object
        \(ModelOptions.help)

        example:
          ocellus plan --model models/ommatidium --max-frame 640x480
        """

    private let arguments: Arguments

    init(_ texts: [String]) throws(CommandError) {
        arguments = try Arguments(
            texts,
            options: ModelOptions.options + [Option("--json")],
            command: "plan"
        )
        guard arguments.positional.isEmpty else {
            throw .usage("plan takes no text; see: ocellus plan --help")
        }
    }

    func run() throws(CommandError) {
        let model = try ModelOptions.open(arguments)
        if arguments.has("--json") {
            writeLine(json(model).text)
        } else {
            writeTable(model)
        }
    }

    private func json(_ model: borrowing Model) -> JSON {
        let plan = model.plan
        var buffers: [JSON] = []
        for (index, request) in plan.requests.enumerated() {
            buffers.append(
                .object([
                    ("name", .string(request.name)),
                    ("class", .string(request.memoryClass.name)),
                    ("bytes", .int(request.byteCount)), ("offset", .int(plan.offsets[index])),
                    ("firstStep", .int(request.firstStep)), ("lastStep", .int(request.lastStep)),
                ])
            )
        }
        let weights = model.weightTotals.map { total in
            JSON.object([
                ("type", .string(total.type.name)), ("packed", .bool(total.isPacked)),
                ("tensors", .int(total.tensorCount)), ("bytes", .int(total.byteCount)),
            ])
        }
        return .object([
            ("arenaBytes", .int(plan.requiredBytes)),
            ("stateBytes", .int(plan.byteCount(of: .state))),
            ("scratchBytes", .int(plan.requiredBytes - plan.byteCount(of: .state))),
            ("memory", .string(model.streamMemory.description)),
            ("memoryBytes", .int(model.memoryByteCount)),
            ("horizonFrames", model.horizon.map { .int($0) } ?? .null),
            ("mappedBytes", .int(model.mappedBytes)), ("steps", .int(plan.stepCount)),
            ("weights", .array(weights)), ("buffers", .array(buffers)),
        ])
    }

    private func writeTable(_ model: borrowing Model) {
        let plan = model.plan
        writeLine("   class    bytes       offset      steps      buffer")
        for (index, request) in plan.requests.enumerated() {
            let cells = [
                plan.mark(of: index), padded(request.memoryClass.name, 7),
                padded(String(request.byteCount), 10, right: true),
                padded(String(plan.offsets[index]), 11, right: true),
                padded("\(request.firstStep)-\(request.lastStep)", 8, right: true), request.name,
            ]
            writeLine(cells.joined(separator: "  "))
        }
        writeLine("")
        writeLine("the arena, steps of a run from left to right (= state, . free):")
        writeLine(plan.drawing())
        let state = plan.byteCount(of: .state)
        line("weights, mapped", model.mappedBytes)
        for total in model.weightTotals {
            line("  " + total.type.name, total.byteCount, total.isPacked ? "packed" : "row by row")
        }
        line("state", state)
        line("  past frames", model.memoryByteCount)
        line("scratch, shared", plan.requiredBytes - state)
        line("arena", plan.requiredBytes)
        writeLine("memory of frames  " + memoryLine(model))
    }

    private func line(_ name: String, _ byteCount: Int, _ note: String? = nil) {
        writeLine(
            padded(name, 16) + padded(MemoryPlan.mebibytes(byteCount), 12, right: true)
                + padded("\(byteCount) bytes", 18, right: true) + (note.map { "  " + $0 } ?? "")
        )
    }
}
