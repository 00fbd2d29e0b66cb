// SPDX-License-Identifier: Apache-2.0

extension CaptureFault {
    /// Why a network stream cannot be connected to.
    ///
    /// - Parameters:
    ///   - path: the stream's address without its secrets.
    ///   - reason: ffmpeg's message.
    ///   - hasAnswered: whether the server is known to have sent something.
    /// - Returns: the fault `refused`, `pictureless` or `unreachable`.
    static func unconnected(
        path: String,
        reason: String,
        hasAnswered: Bool = false
    ) -> CaptureFault {
        switch ServerAnswer(reason) {
        case .refusal: .refused(path: path, reason: reason)
        case .noVideo: .pictureless(path: path, reason: reason)
        case nil where hasAnswered: .pictureless(path: path, reason: reason)
        case .unavailable, nil: .unreachable(path: path, reason: reason)
        }
    }

    /// What to do if a server refuses, by its status.
    static func adviceOnRefusal(path: String, reason: String) -> String {
        switch ServerAnswer.status(in: reason) {
        case 401, 403:
            let scheme = StreamAddress(path)?.scheme ?? "rtsp"
            return "check user and password: \(scheme)://USER:PASSWORD@HOST/PATH, with %40 for @"
        case 404: return "check the address's path"
        default: return "check the address"
        }
    }
}
