// SPDX-License-Identifier: Apache-2.0

/// Why a vocabulary cannot be used.
public enum TokenizerError: Error {
    /// The vocabulary has no token, or more than 2^31.
    case tokenCount(Int)
    /// There are more or fewer types than tokens.
    case typeCount(found: Int, needed: Int)
    /// A type is not one of GGUF's six.
    case unknownType(token: Int, type: Int)
    /// A special token's id is not in the vocabulary.
    case idOutOfRange(name: String, id: Int, tokenCount: Int)
    /// There are more or fewer scores than tokens.
    case scoreCount(found: Int, needed: Int)
    /// The score of a token is infinite or not a number.
    case badScore(token: Int)
    /// A piece of SentencePiece has more than `MergeTable.longestPiece` bytes.
    case longPiece(token: Int, byteCount: Int)
    /// A merge is not two tokens with one space between them.
    case malformedMerge(index: Int, text: String)
    /// A part or the result of a merge is no token.
    case mergeOfUnknownToken(index: Int, token: String)

    /// The fact, then where.
    public var description: String {
        switch self {
        case .tokenCount(let count):
            "a vocabulary of \(count) tokens cannot be used"
        case .typeCount(let found, let needed):
            "the vocabulary has \(needed) tokens, but \(found) types of tokens"
        case .unknownType(let token, let type):
            "token \(token) has the unknown type \(type); 1 to 6 are known"
        case .idOutOfRange(let name, let id, let tokenCount):
            "the \(name) token has id \(id), the vocabulary \(tokenCount) tokens"
        case .scoreCount(let found, let needed):
            "the vocabulary has \(needed) tokens, but \(found) scores of tokens"
        case .badScore(let token):
            "the score of token \(token) is not finite"
        case .longPiece(let token, let byteCount):
            "token \(token) has \(byteCount) bytes; pieces of up to \(MergeTable.longestPiece) are read"
        case .malformedMerge(let index, let text):
            "merge \(index) is '\(text)', not two tokens with one space between them"
        case .mergeOfUnknownToken(let index, let token):
            "merge \(index) needs the token '\(token)', which is not in the vocabulary"
        }
    }
}
