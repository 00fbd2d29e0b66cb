// SPDX-License-Identifier: Apache-2.0

/// A value of a JSON text.
///
/// Objects keep their order and their keys byte for byte. Foundation's dictionaries take two keys for
/// one that differ only in how a character is composed; vocabularies have such keys.
public indirect enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    /// The value of a key, or nil if there is none or this is no object.
    public subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// The text, or nil if it is none.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The truth value, or nil if it is none.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number, or nil if it is none.
    public var number: Double? {
        if case .number(let value) = self { value } else { nil }
    }

    /// The whole number, or nil if it is none or cannot be held exactly.
    public var int: Int? { number.flatMap { Int(exactly: $0) } }

    /// The elements, or nil if this is no array.
    public var array: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    /// The members in their order, or nil if this is no object.
    public var members: [(key: String, value: JSONValue)]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The whole numbers of an array, or nil if one is none.
    public var ints: [Int]? {
        guard let array else { return nil }
        let values = array.compactMap(\.int)
        return values.count == array.count ? values : nil
    }

    /// Whether this is null.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The value in a few words, for messages.
    public var summary: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): Int(exactly: value).map { "\($0)" } ?? "\(value)"
        case .string(let value): "'\(value.prefix(60))'"
        case .array(let values): "a list of \(values.count)"
        case .object(let members): "an object of \(members.count) keys"
        }
    }
}
