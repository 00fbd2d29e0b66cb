// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusMemory
import OcellusModels

extension Session {
    /// The size of a saved state in bytes.
    public var stateByteCount: Int { stateHeader.totalByteCount }

    /// The live state as bytes, to keep in memory.
    public func save() -> [UInt8] {
        var saved: [UInt8] = []
        saved.reserveCapacity(stateByteCount)
        unsafe forEachPart([]) { part in unsafe saved.append(contentsOf: part) }
        return saved
    }

    /// Saves the live state to a file, atomically: a reader finds the old file or the new one.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - supplement: bytes of the caller, which `restore(fromFile:)` returns; a multiple of 8.
    /// - Throws: `OcellusError.model` with `ModelFileError.cannotWrite`; an older file is then as it
    ///   was.
    public func save(toFile path: String, supplement: [UInt8] = []) throws(OcellusError) {
        try fromFile { () throws(ModelFileError) in
            var file = try AtomicFile(path: path)
            try unsafe forEachPart(supplement) { part throws(ModelFileError) in
                try unsafe file.write(part)
            }
            try file.commit()
        }
    }

    /// Restores a live state that was kept in memory.
    ///
    /// - Throws: `OcellusError.state` if the bytes are damaged or belong to another model; the live
    ///   state is then as before.
    public mutating func restore(_ saved: [UInt8]) throws(OcellusError) {
        let restored = unsafe saved.withUnsafeBytes { unsafe restore(from: $0) }
        if case .failure(let fault) = restored {
            throw .state(path: "the saved state", fault)
        }
    }

    /// Restores a live state from a file.
    ///
    /// - Returns: the supplement that it was saved with.
    /// - Throws: `OcellusError.model` if the file cannot be read, `.state` if it is damaged or
    ///   belongs to another model; the live state is then as before.
    @discardableResult
    public mutating func restore(fromFile path: String) throws(OcellusError) -> [UInt8] {
        let file: MappedFile
        do throws(ModelFileError) {
            file = try MappedFile(path: path)
        } catch {
            // An empty file is what a full disk or a power cut leaves of a program that wrote in place.
            if case .empty = error { throw .state(path: path, .truncated) }
            throw .model(.file(error))
        }
        switch unsafe restore(from: file.bytes) {
        case .success(let supplement): return supplement
        case .failure(let fault): throw .state(path: path, fault)
        }
    }

    private var stateHeader: StateHeader {
        var memoryCount = 0
        for tensor in memoryTensors { memoryCount += tensor.count }
        return StateHeader(
            modelChecksum: model.checksum,
            frameCount: UInt64(frameCount),
            decoderCount: UInt64(live.elements.count),
            projectorCount: UInt64(projectorTensor?.count ?? 0),
            memoryCount: UInt64(memoryCount),
            memoryCode: model.streamMemory.code,
            position: position
        )
    }

    /// The tensors of a saved state, in order.
    private var stateTensors: [Tensor] {
        guard let projectorTensor else { return [live.elements] + memoryTensors }
        return [live.elements, projectorTensor] + memoryTensors
    }

    /// The features of the last frame, if the projector compares frames.
    private var projectorTensor: Tensor? {
        model.vision?.projector.stateTensor.map { arena[$0] }
    }

    /// What the memory keeps of past frames, and what the change gate compares the next one with.
    private var memoryTensors: [Tensor] {
        guard let vision = model.vision else { return [] }
        return (model.memory.tensors + [vision.gate.reference]).map { arena[$0] }
    }

    /// Hands out the bytes of a saved state in order: header, tensors, supplement, checksum.
    private func forEachPart<Failure: Error>(
        _ supplement: [UInt8],
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(supplement.count % 8 == 0)
        var checksum = RunningChecksum()
        var stateHeader = stateHeader
        stateHeader.supplementByteCount = UInt64(supplement.count)
        let header = stateHeader.bytes
        let headerSpan = unsafe header.span.bytes
        checksum.add(headerSpan)
        try unsafe headerSpan.withUnsafeBytes { part throws(Failure) in try unsafe body(part) }
        for tensor in stateTensors {
            // Safety: the tensor has this many elements of four bytes.
            let part = unsafe UnsafeRawBufferPointer(start: tensor.base, count: 4 * tensor.count)
            unsafe checksum.add(part.bytes)
            try unsafe body(part)
        }
        let supplementSpan = unsafe supplement.span.bytes
        checksum.add(supplementSpan)
        try unsafe supplementSpan.withUnsafeBytes { part throws(Failure) in
            try unsafe body(part)
        }
        let end = checksum.value.littleEndianBytes
        try unsafe end.span.bytes.withUnsafeBytes { part throws(Failure) in try unsafe body(part) }
    }

    /// Restores a state, and returns its supplement.
    private mutating func restore(
        from block: UnsafeRawBufferPointer
    ) -> Result<[UInt8], StateFault> {
        let header: StateHeader
        switch unsafe checkedHeader(of: block) {
        case .success(let valid): header = valid
        case .failure(let fault): return .failure(fault)
        }
        var offset = StateHeader.byteCount
        for tensor in stateTensors {
            let end = offset + 4 * tensor.count
            // Safety: the header's counts were compared with the tensors, and the block's size.
            unsafe UnsafeMutableRawBufferPointer(start: tensor.base, count: 4 * tensor.count)
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: block[offset..<end]))
            offset = end
        }
        frameCount = Int(header.frameCount)
        position = header.position
        // Safety: the header's size is that of the block.
        let supplement = unsafe block[offset..<(offset + Int(header.supplementByteCount))]
        return .success(unsafe Array(supplement))
    }

    private func checkedHeader(
        of block: UnsafeRawBufferPointer
    ) -> Result<StateHeader, StateFault> {
        let found: StateHeader
        switch unsafe StateHeader.load(from: block) {
        case .success(let header): found = header
        case .failure(let fault): return .failure(fault)
        }
        // What a damaged file says of itself means nothing: its checksum comes first.
        let end = block.count - 8
        var checksum = RunningChecksum()
        // Safety: a block with a header has these bytes.
        unsafe checksum.add(UnsafeRawBufferPointer(rebasing: block[..<end]).bytes)
        let stored = UInt64(
            littleEndian: unsafe block.loadUnaligned(fromByteOffset: end, as: UInt64.self)
        )
        guard checksum.value == stored else { return .failure(.damaged) }
        var expected = stateHeader
        expected.supplementByteCount = found.supplementByteCount
        guard found.modelChecksum == expected.modelChecksum,
            found.decoderCount == expected.decoderCount,
            found.projectorCount == expected.projectorCount
        else { return .failure(.otherModel) }
        guard found.memoryCode == expected.memoryCode, found.memoryCount == expected.memoryCount
        else { return .failure(.otherMemory) }
        guard found.supplementByteCount <= block.count, found.supplementByteCount % 8 == 0,
            block.count == expected.totalByteCount, model.memory.allows(found.position)
        else { return .failure(.damaged) }
        return .success(found)
    }
}
