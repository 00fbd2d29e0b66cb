// SPDX-License-Identifier: Apache-2.0

/// What a process will need after it was sealed.
public struct SealDeclaration: Sendable {
    /// Files that are read, and folders whose files are.
    public var readable: [String] = []
    /// Folders in which files are written, replaced and removed.
    public var writable: [String] = []
    /// Whether cameras are opened, again and again: those under /dev, found in /sys.
    public var cameras = false
    /// Whether programs are started: ffmpeg for a stream, the commands of rules.
    public var programs = false

    /// Nothing.
    public init() {}

    /// Whether any file is opened after the start.
    var opensFiles: Bool { !readable.isEmpty || !writable.isEmpty || cameras }
}
