// SPDX-License-Identifier: Apache-2.0

/// A piece of what stands before a picture's pixels: a segment of a JPEG, a chunk of a PNG.
struct HeaderSegment {
    /// Where the next one begins; it may be behind all bytes that there are.
    let end: Int
    /// Whether the picture cannot be decoded, or not upright, without it: not so a color profile, a
    /// thumbnail or a comment, of which a file may have megabytes.
    let isNeeded: Bool
}
