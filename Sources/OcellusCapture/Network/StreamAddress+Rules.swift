// SPDX-License-Identifier: Apache-2.0

/// What an address must have, so that ffmpeg could connect to it at all.
extension StreamAddress {
    /// Protocols that connect to a host.
    private static let connecting = [
        "rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "rtmpt", "ftp",
    ]
    /// Protocols that may wait for somebody, and then name no host.
    private static let listening = ["srt", "udp", "rtp", "tcp", "tls"]

    /// Why an address cannot be one, as it follows "is no address of", without secrets; nil if it may
    /// be.
    ///
    /// - Source: RFC 3986, section 3.2.
    var mistake: String? {
        let connects = StreamAddress.connecting.contains(scheme)
        guard connects || StreamAddress.listening.contains(scheme) else {
            return "a stream: the protocol \(scheme) is unknown; known are "
                + (StreamAddress.connecting + StreamAddress.listening).joined(separator: ", ")
        }
        let (host, port) = hostAndPort
        if let port, !StreamAddress.isPort(port) {
            // What is no number may be a part of a password that was meant to go on.
            let isNumber = port.allSatisfy { (0x30...0x39).contains($0) }
            return "a stream: its port must be a number from 1 to 65535"
                + (isNumber
                    ? ", not " + String(decoding: port, as: UTF8.self)
                    : "; a slash in a password is written %2F")
        }
        if connects, host.isEmpty {
            return "a stream: it names no host, as \(scheme)://HOST/PATH does"
        }
        return nil
    }

    /// The host, with its brackets if it is of IPv6, and the port; without a colon there is none.
    private var hostAndPort: (host: ArraySlice<UInt8>, port: ArraySlice<UInt8>?) {
        let address = Array(secret.utf8)
        let authority = address[(scheme.utf8.count + 3)...].prefix { !"/?#".utf8.contains($0) }
        let at = authority.lastIndex(of: UInt8(ascii: "@"))
        let place = authority[(at.map { $0 + 1 } ?? authority.startIndex)...]
        let bracket = place.lastIndex(of: UInt8(ascii: "]")) ?? place.startIndex
        guard let colon = place[bracket...].firstIndex(of: UInt8(ascii: ":")) else {
            return (place, nil)
        }
        return (place[..<colon], place[(colon + 1)...])
    }

    private static func isPort(_ digits: ArraySlice<UInt8>) -> Bool {
        guard let number = Int(String(decoding: digits, as: UTF8.self)) else { return false }
        return (1...65535).contains(number)
    }
}
