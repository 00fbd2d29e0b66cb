// SPDX-License-Identifier: Apache-2.0
import CLibc

/// The start of a watch: at boot a camera may come later than the program.
extension OpenCamera {
    /// Opens a camera for the first time.
    ///
    /// What is planned for its pictures depends on what it agrees to, so nothing can begin before.
    /// A camera that is not there is waited for, if the settings say so, with growing pauses. One that
    /// comes then may at first be closed to this user, or busy, until the system is done with it: what
    /// passes is waited for, too.
    ///
    /// - Parameters: as those of the initialiser.
    /// - Throws: `CaptureError.camera` with the fault that keeps the camera from giving pictures, or
    ///   with a control that cannot be set; `.stopped` if the stop signal came.
    static func first(
        _ address: CameraAddress,
        settings: SourceSettings,
        bus: VideoBus,
        access: CameraAccess
    ) throws(CaptureError) -> OpenCamera {
        var pace = LivePace(period: nil)
        var journal = FaultJournal()
        while true {
            do throws(CaptureFault) {
                let opened = try OpenCamera(
                    address,
                    settings: settings.camera,
                    limits: Limits(size: settings.limit),
                    bus: bus,
                    access: access
                )
                for fault in opened.faults { if case .control = fault { throw fault } }
                return opened
            } catch {
                guard settings.awaitsCamera, error.mayPass(afterWaiting: pace.outageStart != nil)
                else { throw .camera(error) }
                var fault = error
                if case .absent(let path) = error { fault = .awaited(path: path) }
                if journal.tellsOutage(fault) { settings.report(.fault(fault)) }
            }
            _ = pace.noteFailure()
            let stop = settings.stop?.descriptor ?? -1
            guard clibc_wait_readable(stop, -1, -1, max(0, pace.timeToAttempt())) == 0 else {
                throw .stopped(path: address.description)
            }
        }
    }
}

extension CaptureFault {
    /// Whether a camera that gives no pictures may give some soon.
    fileprivate func mayPass(afterWaiting hasWaited: Bool) -> Bool {
        switch self {
        case .absent: true
        case .busy, .noPermission, .failed, .unplugged: hasWaited
        default: false
        }
    }
}
