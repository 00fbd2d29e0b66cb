// SPDX-License-Identifier: Apache-2.0

/// What a live source has to tell while it runs; a fault that repeats is told ever more rarely, and
/// counted.
public enum CaptureNotice: Sendable {
    /// The source gives pictures: what was chosen, and why.
    case opened(String)
    /// Something is wrong. The source goes on by itself.
    case fault(CaptureFault)
    /// Pictures come again, after so long without any.
    case recovered(path: String, outage: Duration)

    /// One line for the user.
    public var description: String {
        switch self {
        case .opened(let text): text
        case .fault(let fault): fault.description
        case .recovered(let path, let outage):
            "\(path) gives pictures again, after \(outage.roundedText) without any"
        }
    }
}
