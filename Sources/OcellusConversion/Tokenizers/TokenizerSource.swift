// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Finds the files of a tokenizer.
enum TokenizerSource {
    /// The tokenizer of a folder, or of one of its files.
    ///
    /// - Throws: `ConversionError.missingFile` if there is none, and what reading it throws.
    static func description(path: String) throws -> TokenizerDescription {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let folder = isFolder.boolValue ? path : PublishedModel.folder(of: path)
        let file = isFolder.boolValue ? "\(path)/tokenizer.json" : path
        guard exists, FileManager.default.fileExists(atPath: file) else {
            throw ConversionError.missingFile(
                path: path,
                what:
                    "there is no tokenizer.json; for the models of state-spaces, download that of "
                    + "EleutherAI/gpt-neox-20b and give it with --tokenizer"
            )
        }
        return try TokenizerFile(path: file).description(SpecialTokens(folder: folder))
    }
}
