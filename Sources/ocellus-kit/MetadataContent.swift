// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// The value of any key of a model file.
enum MetadataContent: Encodable {
    case text(String)
    case integer(Int)
    case natural(UInt64)
    case number(Float)
    case double(Double)
    case truth(Bool)
    case list([MetadataContent])
    /// The value is there but cannot be shown; the reason.
    case unreadable(String)

    /// Reads the value of an entry.
    init(_ entry: MetadataEntry, in file: borrowing ModelFile) {
        do throws(ModelFileError) {
            self = try Self.read(entry, in: file)
        } catch {
            self = .unreadable(error.description)
        }
    }

    /// The value for people: long lists and texts are cut.
    var summary: String {
        switch self {
        case .text(let value):
            let shown = value.prefix(100)
            return shown.debugDescription + (shown.endIndex < value.endIndex ? "..." : "")
        case .integer(let value): return "\(value)"
        case .natural(let value): return "\(value)"
        case .number(let value): return "\(value)"
        case .double(let value): return "\(value)"
        case .truth(let value): return "\(value)"
        case .list(let values):
            let shown = values.prefix(8).map(\.summary).joined(separator: ", ")
            return values.count > 8 ? "[\(shown), ... \(values.count) in all]" : "[\(shown)]"
        case .unreadable(let reason): return "(unreadable: \(reason))"
        }
    }

    /// Writes the bare value; one that cannot be shown as null.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .natural(let value): try container.encode(value)
        case .number(let value) where value.isFinite: try container.encode(value)
        case .double(let value) where value.isFinite: try container.encode(value)
        case .truth(let value): try container.encode(value)
        case .list(let values): try container.encode(values)
        case .number, .double, .unreadable: try container.encodeNil()
        }
    }

    private static func read(
        _ entry: MetadataEntry,
        in file: borrowing ModelFile
    ) throws(ModelFileError) -> MetadataContent {
        let isList = entry.elementCount != nil
        switch entry.type {
        case .string:
            return isList
                ? .list(try file.strings(entry.key).map { .text($0) })
                : .text(try file.string(entry.key))
        case .bool:
            return isList
                ? .list(try file.bools(entry.key).map { .truth($0) })
                : .truth(try file.bool(entry.key))
        case .float32:
            return isList
                ? .list(try file.floats(entry.key).map { .number($0) })
                : .number(try file.float(entry.key))
        case .float64: return try words(of: entry, in: file) { .double(Double(bitPattern: $0)) }
        case .uint64: return try words(of: entry, in: file) { .natural($0) }
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .int64, .array:
            return isList
                ? .list(try file.ints(entry.key).map { .integer($0) })
                : .integer(try file.int(entry.key))
        }
    }

    /// Values of 64 bits as they lie there: the runtime has no use for such that a `Float` or an `Int`
    /// cannot hold.
    private static func words(
        of entry: MetadataEntry,
        in file: borrowing ModelFile,
        _ content: (UInt64) -> MetadataContent
    ) throws(ModelFileError) -> MetadataContent {
        guard case .stored(_, let count, let bytes) = try file.storedValue(of: entry) else {
            return .list([])
        }
        let values = stride(from: 0, to: bytes.count, by: 8).map { start in
            content(bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
        return count == nil ? values.first ?? .list([]) : .list(values)
    }
}
