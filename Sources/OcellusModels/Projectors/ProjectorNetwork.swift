// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusKernels
import OcellusMemory

/// The projectors by their names in `clip.projector_type`.
enum ProjectorNetwork: ~Copyable {
    case none(NoProjector)
    case mlp(MLPProjector)
    case ldp(LDPProjector)
    case ldpv2(LDPv2Projector)
    case cAbstractor(CAbstractor)
    case vss(VSSProjector)

    /// The name of a file's projector; llama.cpp has two keys for it.
    static func kind(of file: borrowing ModelFile) throws(ModelError) -> String {
        let key = "clip.vision.projector_type"
        return try reading { () throws(ModelFileError) in
            try file.string(file.contains(key) ? key : "clip.projector_type")
        }
    }

    init(
        file: borrowing ModelFile,
        input: ProjectorInput,
        planner: inout MemoryPlanner
    ) throws(ModelError) {
        switch try Self.kind(of: file) {
        case "none":
            self = .none(NoProjector(input: input, planner: &planner))
        case "mlp":
            self = .mlp(try MLPProjector(file: file, input: input, planner: &planner))
        case "ldp":
            self = .ldp(try LDPProjector(file: file, input: input, planner: &planner))
        case "ldpv2":
            self = .ldpv2(try LDPv2Projector(file: file, input: input, planner: &planner))
        case "cabstractor":
            self = .cAbstractor(try CAbstractor(file: file, input: input, planner: &planner))
        case "vss":
            self = .vss(try VSSProjector(file: file, input: input, planner: &planner))
        case let kind:
            throw .unsupported(
                path: file.path,
                what:
                    "projector '\(kind)'; this version runs none, mlp, ldp, ldpv2, cabstractor, vss"
            )
        }
    }

    /// (rowsBefore + image tokens, dModel).
    var tokens: PlannedTensor {
        switch self {
        case .none(let network): network.tokens
        case .mlp(let network): network.tokens
        case .ldp(let network): network.tokens
        case .ldpv2(let network): network.tokens
        case .cAbstractor(let network): network.tokens
        case .vss(let network): network.tokens
        }
    }

    /// Brings parameters into the form that the kernels read; called once, at start.
    func prepare(in arena: borrowing Arena) {
        switch self {
        case .none: break
        case .mlp: break
        case .ldp(let network): network.prepare(in: arena)
        case .ldpv2(let network): network.prepare(in: arena)
        case .cAbstractor(let network): network.prepare(in: arena)
        case .vss(let network): network.prepare(in: arena)
        }
    }

    /// Projects features (cells, width) to the image tokens in `tokens`.
    @_noAllocation @_noLocks
    func run(_ x: Tensor, in arena: borrowing Arena, on pool: borrowing ThreadPool) {
        switch self {
        case .none(let network): network.run(x, in: arena)
        case .mlp(let network): network.run(x, in: arena, on: pool)
        case .ldp(let network): network.run(x, in: arena, on: pool)
        case .ldpv2(let network): network.run(x, in: arena, on: pool)
        case .cAbstractor(let network): network.run(x, in: arena, on: pool)
        case .vss(let network): network.run(x, in: arena, on: pool)
        }
    }
}
