// SPDX-License-Identifier: Apache-2.0

/// A source as ffmpeg and ffprobe are told of it, without telling everybody.
///
/// Every user of a system can read the arguments of every program (`ps`), and an address may have a
/// password in it. So an address is no argument: it stands in a list for ffmpeg's concat demuxer, the
/// only entry of it, which ffmpeg reads from its standard input.
struct FFmpegInput {
    /// The options of the input, `-i` and its name.
    let arguments: [String]
    /// What the program finds on its standard input.
    let standardInput: String

    /// The name of the list in ffmpeg's messages.
    static let listName = "pipe:0"
    /// What an address may lead to; no files of this system.
    private static let protocols =
        "pipe,http,https,httpproxy,tcp,tls,udp,rtp,srtp,rtmp,rtmps,rtmpt,srt,ftp,crypto,data"
    /// How a packet of an entry is labelled with the entry's length in microseconds, if it is known.
    static let lengthTag = "lavf.concatdec.duration"

    /// A file, or an address.
    init(_ path: String) {
        if let address = StreamAddress(path) {
            self.init(address)
        } else {
            // A file can look neither like an option nor like an address.
            self.init(arguments: ["-i", "file:" + path], standardInput: "")
        }
    }

    /// An address, with ffmpeg's options for opening it.
    ///
    /// - Source: ffmpeg-formats(1), concat: quotes are those of ffmpeg-utils(1).
    init(_ address: StreamAddress, options: [(name: String, value: String)] = []) {
        var list = "ffconcat version 1.0\nfile '\(FFmpegInput.quoted(address.secret))'\n"
        for option in options { list += "option \(option.name) \(option.value)\n" }
        self.init(
            arguments: [
                "-protocol_whitelist", FFmpegInput.protocols, "-f", "concat", "-safe", "0",
                "-segment_time_metadata", "1", "-i", FFmpegInput.listName,
            ],
            standardInput: list
        )
    }

    private init(arguments: [String], standardInput: String) {
        self.arguments = arguments
        self.standardInput = standardInput
    }

    /// A text between single quotes; a character that would end the line is written as in addresses.
    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "'"): bytes += Array("'\\''".utf8)
            case UInt8(ascii: "\n"): bytes += Array("%0A".utf8)
            case UInt8(ascii: "\r"): bytes += Array("%0D".utf8)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
