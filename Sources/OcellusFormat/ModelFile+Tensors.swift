// SPDX-License-Identifier: Apache-2.0
public import OcellusMemory

extension ModelFile {
    /// Whether the file has a tensor.
    public func hasTensor(_ name: String) -> Bool {
        header.tensorIndices[name] != nil
    }

    /// The description of a tensor, or nil.
    public func tensor(_ name: String) -> TensorInfo? {
        header.tensorIndices[name].map { header.tensors[$0] }
    }

    /// The dimensions of a tensor in GGUF's order, the first varies fastest.
    ///
    /// - Throws: `ModelFileError.missingTensor`.
    public func shape(of name: String) throws(ModelFileError) -> [Int] {
        try present(name).shape
    }

    /// A tensor as a matrix of this shape.
    ///
    /// Any tensor will do whose first dimensions multiply to `columns` and the others to `rows`: a
    /// depthwise convolution of shape (3, 3, 1, C) is a matrix of C rows and 9 columns.
    ///
    /// - Parameters:
    ///   - name: The tensor.
    ///   - rows: The count of rows.
    ///   - columns: The count of columns.
    ///   - cuts: The rows where parts begin that are used as matrices of their own.
    /// - Returns: The matrix where it is mapped.
    /// - Throws: `ModelFileError.missingTensor`, `.wrongShape`, and `.unsupportedType` if the
    ///   kernels do not compute with its type, or its rows are interleaved where it is cut.
    public func matrix(
        _ name: String,
        rows: Int,
        columns: Int,
        cutAt cuts: [Int] = []
    ) throws(ModelFileError) -> WeightMatrix {
        let tensor = try present(name)
        guard splits(tensor, rows: rows, columns: columns) else {
            throw .wrongShape(
                path: path,
                name: name,
                needed: "a matrix of \(rows) rows, \(columns) columns",
                found: tensor.shapeDescription
            )
        }
        let matrix = try matrix(tensor, rows: rows, columns: columns)
        for row in cuts where !matrix.type.canBeCut(atRow: row) {
            let what = "\(matrix.type.name), which cannot be cut at row \(row)"
            throw .unsupportedType(path: path, name: name, type: what)
        }
        return matrix
    }

    /// A tensor as a matrix whose columns are the first dimension and whose rows are the others.
    ///
    /// - Throws: `ModelFileError.missingTensor`, and `.unsupportedType` if the kernels do not
    ///   compute with its type.
    public func matrix(_ name: String) throws(ModelFileError) -> WeightMatrix {
        let tensor = try present(name)
        return try matrix(
            tensor,
            rows: tensor.shape.dropFirst().reduce(1, *),
            columns: tensor.shape.first ?? 1
        )
    }

    /// A tensor of any shape as a vector of this many `Float`.
    ///
    /// Every element is looked at: activations and exponentials would take an infinite bias or
    /// decay for their limit. Vectors are small, and read by the first token anyway.
    ///
    /// - Throws: `ModelFileError.missingTensor`, `.wrongShape`, `.unsupportedType` if it is not
    ///   F32, and `.notFinite`.
    public func vector(_ name: String, count: Int) throws(ModelFileError) -> WeightVector {
        let tensor = try present(name)
        guard tensor.elementCount == count else {
            throw .wrongShape(
                path: path,
                name: name,
                needed: "\(count) elements",
                found: tensor.shapeDescription
            )
        }
        guard tensor.type.weightType == .f32 else {
            throw .unsupportedType(
                path: path,
                name: name,
                type: "\(tensor.type.name) where F32 is needed"
            )
        }
        // Safety: the header places count * 4 bytes inside the file, at a multiple of 8.
        let start = unsafe bytes(of: tensor).assumingMemoryBound(to: Float.self)
        for index in 0..<count where unsafe !start[index].isFinite {
            throw .notFinite(path: path, name: name, index: index)
        }
        return unsafe WeightVector(count: count, base: start)
    }

    /// The bytes of a tensor of any type, for tools; valid as long as this file.
    public func withBytes<Result>(
        of tensor: TensorInfo,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        // Safety: the header places these bytes inside the file.
        unsafe body(UnsafeRawBufferPointer(start: bytes(of: tensor), count: tensor.byteCount))
    }

    /// Lets the system take back the memory behind a tensor; its bytes are read again when needed.
    ///
    /// For tools that go through a large file once.
    public func release(_ tensor: TensorInfo) {
        file.release(tensor.offset..<tensor.offset + tensor.byteCount)
    }

    private func present(_ name: String) throws(ModelFileError) -> TensorInfo {
        guard let tensor = tensor(name) else { throw .missingTensor(path: path, name: name) }
        return tensor
    }

    private func matrix(
        _ tensor: TensorInfo,
        rows: Int,
        columns: Int
    ) throws(ModelFileError) -> WeightMatrix {
        guard let type = tensor.type.weightType else {
            throw .unsupportedType(path: path, name: tensor.name, type: tensor.type.name)
        }
        // Safety: the header places rows * columns elements inside the file.
        return unsafe WeightMatrix(
            type: type,
            rows: rows,
            columns: columns,
            base: bytes(of: tensor)
        )
    }

    /// Whether the dimensions can be cut into columns (the first ones) and rows (the others).
    private func splits(_ tensor: TensorInfo, rows: Int, columns: Int) -> Bool {
        if tensor.type.weightType?.isInterleaved == true, columns != tensor.shape.first {
            return false
        }
        var inner = 1
        var outer = tensor.elementCount
        if inner == columns, outer == rows { return tensor.type.blockElementCount == 1 }
        for dimension in tensor.shape {
            inner *= dimension
            outer /= dimension
            if inner == columns, outer == rows { return true }
        }
        return false
    }

    /// The first byte of a tensor of this file.
    private func bytes(of tensor: TensorInfo) -> UnsafeRawPointer {
        precondition(
            tensor.offset >= 0 && tensor.byteCount >= 0
                && tensor.byteCount <= byteCount - tensor.offset,
            "a tensor of another file"
        )
        guard let base = unsafe file.bytes.baseAddress else {
            preconditionFailure("a file with a header is not empty")
        }
        return unsafe base + tensor.offset  // Safety: checked above.
    }
}
