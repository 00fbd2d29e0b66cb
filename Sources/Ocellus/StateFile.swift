// SPDX-License-Identifier: Apache-2.0

/// The layout of a saved state, little-endian.
///
///     offset  size
///          0     8  magic "OCLSTATE"
///          8     8  format version, 3
///         16     8  checksum of the model that the state belongs to
///         24     8  count of frames that were seen
///         32     8  count of floats of the decoder's state, D
///         40     8  count of floats of the projector's state, P
///         48     8  count of floats of the memory, M
///         56     8  kind of the memory, `StreamMemory.code`
///         64     8  frames in the ring or the bank
///         72     8  slot of the ring that is next
///         80     8  frames that the live state carries
///         88     8  bit 0: the live state must be rebuilt; bit 1: the last encoded frame stood still
///         96     8  count of bytes of the supplement, S, a multiple of 8
///        104   4 D  the decoder's state, as `DecoderState` lays it out
///              4 P  the features of the last frame, if the projector compares frames
///              4 M  what `FrameMemory.tensors` lists, then the reference of the change gate
///                S  the supplement: what the session's owner wants to find again
///                8  checksum of all bytes before it
struct StateHeader {
    static let byteCount = 104
    /// "OCLSTATE" as a little-endian number.
    static let magic: UInt64 = 0x4554_4154_534C_434F
    static let version: UInt64 = 3

    var modelChecksum: UInt64
    var frameCount: UInt64
    var decoderCount: UInt64
    var projectorCount: UInt64
    var memoryCount: UInt64
    var memoryCode: UInt64
    var position: FrameMemory.Position
    var supplementByteCount: UInt64 = 0

    /// The size of a whole saved state in bytes.
    var totalByteCount: Int {
        StateHeader.byteCount + 4 * Int(decoderCount + projectorCount + memoryCount)
            + Int(supplementByteCount) + 8
    }

    /// The header as it lies in the file.
    var bytes: [UInt8] {
        let flags: UInt64 = (position.isStale ? 1 : 0) | (position.isSettled ? 2 : 0)
        let fields: [UInt64] = [
            StateHeader.magic, StateHeader.version, modelChecksum, frameCount, decoderCount,
            projectorCount, memoryCount, memoryCode, UInt64(position.ring.count),
            UInt64(position.ring.next), UInt64(position.carried), flags, supplementByteCount,
        ]
        var bytes: [UInt8] = []
        for field in fields { bytes += field.littleEndianBytes }
        return bytes
    }

    /// Reads the header that a block begins with, or says why it is none.
    static func load(from block: UnsafeRawBufferPointer) -> Result<StateHeader, StateFault> {
        guard block.count >= 16 else { return .failure(.truncated) }
        func field(_ index: Int) -> UInt64 {
            // Safety: the block has room for the fields that are asked for.
            UInt64(
                littleEndian: unsafe block.loadUnaligned(
                    fromByteOffset: 8 * index,
                    as: UInt64.self
                )
            )
        }
        guard field(0) == magic else { return .failure(.notAState) }
        guard field(1) == version else { return .failure(.otherVersion(field(1))) }
        guard block.count >= byteCount + 8 else { return .failure(.truncated) }
        // A forged count must leave room for more frames.
        func count(_ index: Int) -> Int { Int(min(field(index), UInt64(Int.max / 2))) }
        var position = FrameMemory.Position()
        position.ring.count = count(8)
        position.ring.next = count(9)
        position.carried = count(10)
        position.isStale = field(11) & 1 != 0
        position.isSettled = field(11) & 2 != 0
        return .success(
            StateHeader(
                modelChecksum: field(2),
                frameCount: UInt64(count(3)),
                decoderCount: field(4),
                projectorCount: field(5),
                memoryCount: field(6),
                memoryCode: field(7),
                position: position,
                supplementByteCount: UInt64(count(12))
            )
        )
    }
}

/// Why a saved state is refused.
public enum StateFault: Error {
    /// The bytes are something else.
    case notAState
    /// The end is missing.
    case truncated
    /// A version of the program wrote it that lays states out in another way.
    case otherVersion(UInt64)
    /// It belongs to another model.
    case otherModel
    /// It was saved with another `SessionOptions.memory`.
    case otherMemory
    /// Its bytes are not those that were written.
    case damaged

    /// Whether the bytes were lost, while the others are whole and belong elsewhere.
    public var isDamage: Bool {
        switch self {
        case .truncated, .damaged: true
        case .notAState, .otherVersion, .otherModel, .otherMemory: false
        }
    }

    /// The fact, then the remedy.
    public var description: String {
        switch self {
        case .notAState: "not a saved state of Ocellus"
        case .truncated: "the saved state is cut short"
        case .otherVersion(let version):
            "the saved state has version \(version); this program reads \(StateHeader.version)"
        case .otherModel:
            "the state was saved with another model; open that one, or start without the state"
        case .otherMemory:
            "the state was saved with another --memory; use that one, or start without the state"
        case .damaged: "the saved state is damaged: its checksum does not match"
        }
    }
}

/// A checksum of bytes, word by word.
///
/// Not cryptographic: it finds torn and rotten files, not forged ones.
///
/// - Source: the FNV-1a step of Fowler, Noll and Vo on 64-bit words, with a rotation.
struct RunningChecksum {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Adds bytes, a multiple of 4.
    mutating func add(_ bytes: RawSpan) {
        var offset = 0
        while offset + 4 <= bytes.byteCount {
            // Safety: any four bytes are a number.
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
            value = (value ^ UInt64(UInt32(littleEndian: word))) &* 0x0000_0100_0000_01B3
            value = (value << 29) | (value >> 35)
            offset += 4
        }
    }
}

extension UInt64 {
    /// The bytes of the number, the lowest first.
    var littleEndianBytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) }
    }
}
