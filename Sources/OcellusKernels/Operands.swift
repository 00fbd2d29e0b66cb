// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import OcellusMemory

// The operands as the C kernels take them: views, valid as long as their owners.

extension Tensor {
    var operand: ck_tensor {
        unsafe ck_tensor(data: base, rows: rows, columns: columns)
    }
}

extension WeightMatrix {
    var operand: ck_matrix {
        unsafe ck_matrix(data: base, rows: rows, columns: columns, type: Int32(type.rawValue))
    }
}
