// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A configuration as published beside a model, with errors that name file and key.
///
///     let settings = try ModelSettings(path: "mamba-130m-hf/config.json")
///     let width = try settings.size("hidden_size")
public struct ModelSettings {
    /// The greatest size of anything: far above any model, small enough for products.
    private static let maximumSize = 1 << 24

    /// The file.
    public let path: String
    /// What it holds.
    public let json: JSONValue
    /// The keys on the way from the file's top, with a dot after each.
    private let prefix: String

    /// Reads a file.
    ///
    /// - Throws: `ConversionError.damaged`, `.unsupported` if it holds no object, and
    ///   `ModelFileError.cannotOpen`.
    public init(path: String) throws {
        let json = try JSONReader.read(path: path)
        guard json.members != nil else {
            throw ConversionError.unsupported(
                path: path,
                what: "should hold an object of keys and values, holds \(json.summary)"
            )
        }
        self.init(path: path, json: json)
    }

    /// Reads a file if it is there.
    ///
    /// - Throws: As above.
    static func ifPresent(path: String) throws -> ModelSettings? {
        FileManager.default.fileExists(atPath: path) ? try ModelSettings(path: path) : nil
    }

    /// Settings that were read elsewhere.
    public init(path: String, json: JSONValue, prefix: String = "") {
        self.path = path
        self.json = json
        self.prefix = prefix
    }

    /// The settings that are an element of a list in a file.
    ///
    /// - Throws: `ConversionError.badValue` if it is no object.
    public init(path: String, _ value: JSONValue, of key: String) throws(ConversionError) {
        self = try ModelSettings(path: path, json: .object([])).element(key, value)
    }

    /// The settings that are an element of a list below a key.
    ///
    /// - Throws: `ConversionError.badValue` if it is no object.
    public func element(_ key: String, _ value: JSONValue) throws(ConversionError) -> ModelSettings
    {
        guard value.members != nil else { throw bad(key, "an object", value) }
        return ModelSettings(path: path, json: value, prefix: prefix + key + ".")
    }

    /// Whether a key is there and not null.
    public func has(_ key: String) -> Bool { !(json[key]?.isNull ?? true) }

    /// The settings below a key.
    ///
    /// - Throws: `ConversionError.missingKey` and `.badValue`.
    public func below(_ key: String) throws(ConversionError) -> ModelSettings {
        let value = try value(key)
        guard value.members != nil else { throw bad(key, "an object", value) }
        return ModelSettings(path: path, json: value, prefix: prefix + key + ".")
    }

    /// A whole number from 1 to 2^24.
    ///
    /// - Throws: `ConversionError.missingKey` and `.badValue`.
    public func size(_ key: String, default fallback: Int? = nil) throws(ConversionError) -> Int {
        if let fallback, !has(key) { return fallback }
        let value = try value(key)
        guard let size = value.int, 1...Self.maximumSize ~= size else {
            throw bad(key, "a whole number from 1 to \(Self.maximumSize)", value)
        }
        return size
    }

    /// A whole number from 1 to 2^24, or nil without the key.
    ///
    /// - Throws: `ConversionError.badValue`.
    func sizeIfStated(_ key: String) throws(ConversionError) -> Int? {
        has(key) ? try size(key) : nil
    }

    /// A size that is a multiple of another one, rounded down.
    ///
    /// - Throws: `ConversionError.missingKey` and `.badValue`.
    public func size(
        _ key: String,
        times width: Int,
        default fallback: Double
    ) throws(ConversionError) -> Int {
        let value = has(key) ? try value(key) : .number(fallback)
        guard let ratio = value.number, ratio * Double(width) >= 1,
            ratio * Double(width) <= Double(Self.maximumSize)
        else {
            throw bad(key, "a number that times \(width) is from 1 to \(Self.maximumSize)", value)
        }
        return Int(ratio * Double(width))
    }

    /// A number from 0, finite as a `Float`.
    ///
    /// - Throws: `ConversionError.missingKey` and `.badValue`.
    public func number(
        _ key: String,
        default fallback: Float? = nil
    ) throws(ConversionError) -> Float {
        if let fallback, !has(key) { return fallback }
        let value = try value(key)
        guard let number = value.number.map({ Float($0) }), number.isFinite, number >= 0 else {
            throw bad(key, "a number from 0", value)
        }
        return number
    }

    /// A truth value.
    ///
    /// - Throws: `ConversionError.badValue`.
    public func flag(_ key: String, default fallback: Bool) throws(ConversionError) -> Bool {
        guard has(key) else { return fallback }
        let value = try value(key)
        guard let flag = value.bool else { throw bad(key, "true or false", value) }
        return flag
    }

    /// A truth value, or nil without the key.
    ///
    /// - Throws: `ConversionError.badValue`.
    func flagIfStated(_ key: String) throws(ConversionError) -> Bool? {
        has(key) ? try flag(key, default: false) : nil
    }

    /// A text.
    ///
    /// - Throws: `ConversionError.missingKey` and `.badValue`.
    public func text(
        _ key: String,
        default fallback: String? = nil
    ) throws(ConversionError) -> String {
        if let fallback, !has(key) { return fallback }
        let value = try value(key)
        guard let text = value.string else { throw bad(key, "a text", value) }
        return text
    }

    /// The texts of a list; none without the key.
    ///
    /// - Throws: `ConversionError.badValue`.
    public func texts(_ key: String) throws(ConversionError) -> [String] {
        var texts: [String] = []
        for (index, value) in try list(key).enumerated() {
            guard let text = value.string else { throw bad("\(key).\(index)", "a text", value) }
            texts.append(text)
        }
        return texts
    }

    /// The elements of a list; none without the key.
    ///
    /// - Throws: `ConversionError.badValue`.
    public func list(_ key: String) throws(ConversionError) -> [JSONValue] {
        guard has(key) else { return [] }
        let value = try value(key)
        guard let list = value.array else { throw bad(key, "a list", value) }
        return list
    }

    /// Refuses another value than the one that is supported; a missing key has that value.
    ///
    /// - Throws: `ConversionError.badValue`.
    public func require(_ key: String, _ expected: Bool) throws(ConversionError) {
        guard try flag(key, default: expected) == expected else {
            throw .badValue(
                path: path,
                key: prefix + key,
                expected: "\(expected)",
                found: "\(!expected)"
            )
        }
    }

    /// Refuses keys that have no meaning here.
    ///
    /// - Throws: `ConversionError.badValue`.
    public func refuseKeys(besides known: [String]) throws(ConversionError) {
        for (key, value) in json.members ?? [] where !known.contains(key) {
            throw bad(key, "one of the keys \(known.joined(separator: ", "))", value)
        }
    }

    /// The error for a value that a caller cannot use.
    public func bad(_ key: String, _ expected: String, _ found: JSONValue) -> ConversionError {
        .badValue(path: path, key: prefix + key, expected: expected, found: found.summary)
    }

    /// The value of a key that must be there.
    public func value(_ key: String) throws(ConversionError) -> JSONValue {
        guard let value = json[key], !value.isNull else {
            throw .missingKey(path: path, key: prefix + key)
        }
        return value
    }
}
