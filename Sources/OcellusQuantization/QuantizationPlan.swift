// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusMemory

/// Which tensor of a model gets which type, and why it is not the one that was asked for.
public struct QuantizationPlan {
    /// What happens to one tensor.
    public struct Step {
        /// The tensor of the original.
        public let tensor: TensorInfo
        /// The type that it gets; its own if it is copied.
        public let type: TensorType
        /// Why the type is not the one that was asked for, or nil.
        public let reason: String?

        /// Whether the bytes are copied.
        public var isCopy: Bool { type == tensor.type }

        /// Whether the bytes keep their values, in another order.
        public var isRearranged: Bool {
            !isCopy && type.weightType?.plain == tensor.type.weightType?.plain
        }

        /// The size that the tensor gets in bytes.
        public var byteCount: Int { type.byteCount(shape: tensor.shape) ?? tensor.byteCount }
    }

    /// The types that can be asked for.
    public static let types: [WeightType] = [.q8_0, .q8_row, .q4_0, .q4_k, .q6_k]

    /// The type that was asked for, or nil if nothing is rounded.
    public let type: WeightType?
    /// One step per tensor, in the order of the file.
    public let steps: [Step]

    /// Decides about each tensor of a file.
    ///
    /// - Parameters:
    ///   - file: The original.
    ///   - type: The type that matrices get, one of `types`; or nil to round none. Those of selective
    ///     scans, a decoder's among them, get Q8_0 in place of Q8_row.
    ///   - headType: The type of `token_embd.weight` and `output.weight`, or nil for the same.
    ///   - order: How the rows of quantised matrices lie.
    /// - Throws: `QuantizationError.alreadyQuantized`.
    public init(
        for file: borrowing ModelFile,
        type: WeightType?,
        headType: WeightType? = nil,
        order: RowOrder = .original
    ) throws(QuantizationError) {
        var steps: [Step] = []
        let isDecoder = file.architecture != "clip"
        for tensor in file.tensors {
            if let reason = Self.reasonToCopy(tensor) {
                steps.append(Step(tensor: tensor, type: tensor.type, reason: reason))
                continue
            }
            guard let type else {
                let own = Step(tensor: tensor, type: tensor.type, reason: nil)
                steps.append(Self.ordered(own, order, in: file))
                continue
            }
            guard tensor.type.blockElementCount == 1 else {
                throw .alreadyQuantized(
                    path: file.path,
                    tensor: tensor.name,
                    type: tensor.type.name
                )
            }
            let isHead = ["token_embd.weight", "output.weight"].contains(tensor.name)
            let wanted = isHead ? headType ?? type : type
            let step =
                wanted == .q8_row && (isDecoder || Self.isOfScan(tensor))
                ? Self.step(for: tensor, type: .q8_0, reason: "Q8_row is not for scans")
                : Self.step(for: tensor, type: wanted)
            steps.append(Self.ordered(step, order, in: file))
        }
        self.type = type
        self.steps = steps
    }

    /// Whether all tensors are copied.
    public var isCopy: Bool { steps.allSatisfy(\.isCopy) }

    /// The size of all tensors of the new file in bytes, without the header.
    public var byteCount: Int { steps.map(\.byteCount).reduce(0, +) }

    /// Why a tensor keeps its bytes, or nil if it is a matrix that activations are multiplied with.
    private static func reasonToCopy(_ tensor: TensorInfo) -> String? {
        let name = tensor.name
        if name.contains("conv1d") || tensor.shape.count > 2 { return "a convolution" }
        if name.hasSuffix("ssm_a") || name.hasSuffix("ssm_d") { return "a recurrence parameter" }
        if name.contains("norm") { return "a norm" }
        if name.contains("position_embd") { return "positions" }
        if tensor.shape.filter({ $0 > 1 }).count < 2 { return "a vector" }
        if !name.hasSuffix(".weight") { return "not a weight" }
        if tensor.type.weightType == nil { return "of a type that is not computed with" }
        return nil
    }

    /// Whether a matrix belongs to a selective scan in a projector.
    private static func isOfScan(_ tensor: TensorInfo) -> Bool {
        ["in_proj.weight", "x_proj.weight", "dt_proj.weight", "out_proj.weight"].contains {
            tensor.name.hasSuffix($0)
        }
    }

    /// The type that a matrix can have: rows are whole blocks.
    private static func step(
        for tensor: TensorInfo,
        type: WeightType,
        reason: String? = nil
    ) -> Step {
        let original = tensor.type.weightType ?? .f32
        let fitting = FittingType(type, columns: tensor.shape[0], original: original)
        return Step(
            tensor: tensor,
            type: TensorType(fitting.type),
            reason: fitting.reason ?? reason
        )
    }

    /// The step with the type that has its rows in an order.
    private static func ordered(
        _ step: Step,
        _ order: RowOrder,
        in file: borrowing ModelFile
    ) -> Step {
        guard let type = step.type.weightType else { return step }
        switch order {
        case .original:
            return step
        case .plain:
            return Step(tensor: step.tensor, type: TensorType(type.plain), reason: step.reason)
        case .packed:
            guard let packed = type.interleaved else { return step }
            if let reason = reasonNotToPack(step.tensor, as: packed, in: file) {
                return Step(tensor: step.tensor, type: step.type, reason: reason)
            }
            return Step(tensor: step.tensor, type: TensorType(packed), reason: step.reason)
        }
    }

    /// Why the rows of a matrix are not interleaved, or nil if they are.
    ///
    /// Some matrices are joined ones: the model multiplies with parts of their rows.
    private static func reasonNotToPack(
        _ tensor: TensorInfo,
        as type: WeightType,
        in file: borrowing ModelFile
    ) -> String? {
        let (name, rowCount) = (tensor.name, tensor.shape[1])
        guard rowCount >= WeightType.groupRowCount else { return "fewer than 16 rows" }
        var cut = 0
        if name.hasSuffix("qkv.weight") { cut = rowCount / 3 }
        if name.hasSuffix("in_proj.weight") { cut = rowCount / 2 }
        // The rows of x are those of dt and then B and C; dt's rank is the width of dt's matrix.
        let joined = [("ssm_x.weight", "ssm_dt.weight"), ("x_proj.weight", "dt_proj.weight")]
        for (suffix, other) in joined where name.hasSuffix(suffix) {
            cut = file.tensor(name.dropLast(suffix.count) + other)?.shape.first ?? 1
        }
        return type.canBeCut(atRow: cut) ? nil : "cut at row \(cut), no multiple of 16"
    }
}
