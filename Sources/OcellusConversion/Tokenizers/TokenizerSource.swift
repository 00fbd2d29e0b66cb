// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Finds the files of a tokenizer.
enum TokenizerSource {
    /// The folder of a tokenizer: a path that is none is that of a file in it.
    static func folder(of path: String) -> String {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return exists && isFolder.boolValue ? path : PublishedModel.folder(of: path)
    }

    /// Adds the tokenizer of a folder, or of one of its files, to a decoder file whose embedding has so many
    /// rows.
    ///
    /// - Returns: The tokenizer.
    /// - Throws: `ConversionError.missingFile` if there is none, and what reading it throws.
    @discardableResult
    static func addTokenizer(
        path: String,
        to description: inout FileDescription,
        rowCount: Int
    ) throws -> TokenizerDescription {
        let limit = TokenLimit(rowCount: rowCount)
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let folder = folder(of: path)
        let names = ["tokenizer.model", "tokenizer.json"]
        let files = isFolder.boolValue ? names.map { "\(path)/\($0)" } : [path]
        guard exists, let file = files.first(where: FileManager.default.fileExists(atPath:)) else {
            throw ConversionError.missingFile(
                path: path,
                what:
                    "there is no tokenizer.json or tokenizer.model; for the models of state-spaces, "
                    + "download that of EleutherAI/gpt-neox-20b and give it with --tokenizer"
            )
        }
        let special = try SpecialTokens(folder: folder)
        var tokenizer =
            file.hasSuffix(".json")
            ? try TokenizerFile(path: file).description(special, limit: limit)
            : try SentencePieceFile(path: file)
                .description(special, AddedTokens(folder: folder, limit: limit))
        tokenizer.otherEnds = try special.otherEnds(
            than: tokenizer.endOfText,
            among: tokenizer.tokens
        )
        try tokenizer.add(to: &description, rowCount: rowCount, path: path)
        return tokenizer
    }
}
