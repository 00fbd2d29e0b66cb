// SPDX-License-Identifier: Apache-2.0

/// The ids that tokens may have: the rows of the model's embedding.
///
/// Files of a tokenizer say ids; one that is too great is refused before anything is made for it.
struct TokenLimit {
    /// The count of rows.
    let rowCount: Int

    /// An id that is a value of a file.
    ///
    /// - Throws: `ConversionError.badValue`.
    func id(
        _ value: JSONValue,
        _ key: String,
        of settings: ModelSettings
    ) throws(ConversionError) -> Int {
        guard let id = value.int, 0..<rowCount ~= id else {
            throw settings.bad(key, expected, value)
        }
        return id
    }

    /// An id that is a key of a file.
    ///
    /// - Throws: `ConversionError.badValue`.
    func id(_ key: String, of settings: ModelSettings) throws(ConversionError) -> Int {
        guard let id = Int(key), 0..<rowCount ~= id, "\(id)" == key else {
            throw settings.bad(key, expected, .string(key))
        }
        return id
    }

    private var expected: String {
        "an id from 0 to \(rowCount - 1) (a row of the model's embedding; is the tokenizer that of "
            + "another model?)"
    }
}
