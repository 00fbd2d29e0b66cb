// SPDX-License-Identifier: Apache-2.0

/// Finds the longest of a set of tokens that begins at a place: the tokens that are split out of a
/// text before byte-pair encoding.
struct TokenTrie: Sendable {
    private struct Node {
        let byte: UInt8
        var token: Int32 = -1
        var firstChild: Int32 = -1
        var nextSibling: Int32 = -1
    }

    private var nodes = [Node(byte: 0)]

    /// Whether there is no token at all.
    var isEmpty: Bool { nodes.count == 1 }

    /// Adds a token; one that is there already stays.
    ///
    /// The empty text is never found.
    mutating func insert(_ text: [UInt8], token: Int) {
        var node = 0
        for byte in text {
            if let child = child(of: node, byte: byte) {
                node = child
            } else {
                var added = Node(byte: byte)
                added.nextSibling = nodes[node].firstChild
                nodes[node].firstChild = Int32(nodes.count)
                node = nodes.count
                nodes.append(added)
            }
        }
        if node != 0, nodes[node].token < 0 { nodes[node].token = Int32(token) }
    }

    /// The longest token that begins at a position of a text, and where it ends.
    func longestMatch(in text: ArraySlice<UInt8>, at start: Int) -> (token: Int, end: Int)? {
        var node = 0
        var position = start
        var match: (token: Int, end: Int)?
        while position < text.endIndex, let child = child(of: node, byte: text[position]) {
            node = child
            position += 1
            if nodes[node].token >= 0 { match = (Int(nodes[node].token), position) }
        }
        return match
    }

    private func child(of node: Int, byte: UInt8) -> Int? {
        var child = nodes[node].firstChild
        while child >= 0 {
            if nodes[Int(child)].byte == byte { return Int(child) }
            child = nodes[Int(child)].nextSibling
        }
        return nil
    }
}
