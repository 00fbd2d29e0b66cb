// SPDX-License-Identifier: Apache-2.0

/// Which faults were told, so that each is told once and then only counted.
///
/// A bad picture is told the first time. An outage is told the first, second, fourth, eighth time and
/// so on: somebody who looks after a month must find it, and a loose cable must not fill the disk.
struct FaultJournal {
    private var counts = [Int](repeating: 0, count: CaptureFault.kindCount)
    /// The kinds that were seen in this outage.
    private var seen: UInt32 = 0
    /// Whether something was told in this outage.
    private(set) var hasToldOutage = false

    /// Whether to tell a fault of which the source goes on without pictures.
    mutating func tellsOutage(_ fault: CaptureFault) -> Bool {
        let bit: UInt32 = 1 << UInt32(fault.kind)
        // Each kind once in an outage; that an unplugged device is absent is known.
        guard seen & bit == 0 else { return false }
        let isKnown = seen != 0 && fault.isAbsence
        seen |= bit
        if isKnown { return false }
        counts[fault.kind] += 1
        let count = counts[fault.kind]
        guard count & (count - 1) == 0 else { return false }
        hasToldOutage = true
        return true
    }

    /// Whether to tell a fault with which pictures go on.
    mutating func tells(_ fault: CaptureFault) -> Bool {
        counts[fault.kind] += 1
        return counts[fault.kind] == 1
    }

    /// Pictures come again.
    mutating func endOutage() {
        seen = 0
        hasToldOutage = false
    }
}

extension CaptureFault {
    /// A number for each case.
    var kind: Int {
        switch self {
        case .busy: 0
        case .noPermission: 1
        case .absent: 2
        case .unplugged: 3
        case .silent: 4
        case .failed: 5
        case .notACamera: 6
        case .noUsableFormat: 7
        case .flagged: 8
        case .short: 9
        case .damaged: 10
        case .substituted: 11
        case .untimed: 12
        case .control: 13
        case .notRealtime: 14
        case .unreachable: 15
        case .disconnected: 16
        case .stalled: 17
        case .quiet: 18
        case .awaited: 19
        case .refused: 20
        case .pictureless: 21
        case .starting: 22
        case .tooLarge: 23
        }
    }

    static let kindCount = 24

    fileprivate var isAbsence: Bool {
        switch self {
        case .absent, .awaited: true
        default: false
        }
    }
}
