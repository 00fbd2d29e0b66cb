// SPDX-License-Identifier: Apache-2.0

/// What an address must have, so that ffmpeg could connect to it at all.
extension StreamAddress {
    /// Protocols that connect to a host.
    private static let connecting = [
        "rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "rtmpt", "ftp",
    ]
    /// Protocols that may wait for somebody, and then name no host.
    private static let listening = ["srt", "udp", "rtp", "tcp", "tls"]

    /// Why an address cannot be one, as it follows "is no address of"; nil if it may be.
    var mistake: String? {
        let isKnown = StreamAddress.connecting.contains(scheme)
        guard isKnown || StreamAddress.listening.contains(scheme) else {
            return "a stream: the protocol \(scheme) is unknown; known are "
                + (StreamAddress.connecting + StreamAddress.listening).joined(separator: ", ")
        }
        let (name, port) = StreamAddress.hostAndPort(host)
        if let port, !isPort(port) {
            return "a stream: its port must be a number from 1 to 65535, not "
                + String(decoding: port, as: UTF8.self)
        }
        if isKnown, name.isEmpty {
            return "a stream: it names no host, as \(scheme)://HOST/PATH does"
        }
        return nil
    }

    private func isPort(_ digits: ArraySlice<UInt8>) -> Bool {
        guard let number = Int(String(decoding: digits, as: UTF8.self)) else { return false }
        return (1...65535).contains(number)
    }

    /// Divides `camera:554` or `[::1]:554`; without a colon there is no port.
    private static func hostAndPort(
        _ host: [UInt8]
    ) -> (name: ArraySlice<UInt8>, port: ArraySlice<UInt8>?) {
        // The colons of an IPv6 address stand in brackets.
        let start = host.lastIndex(of: UInt8(ascii: "]")) ?? 0
        guard let colon = host[start...].firstIndex(of: UInt8(ascii: ":")) else {
            return (host[...], nil)
        }
        return (host[..<colon], host[(colon + 1)...])
    }
}
