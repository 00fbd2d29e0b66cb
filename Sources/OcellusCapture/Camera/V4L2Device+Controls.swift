// SPDX-License-Identifier: Apache-2.0
import CLibc
import CV4L2

extension V4L2Device {
    /// All controls, with their values.
    ///
    /// The corresponding C calls are `VIDIOC_QUERYCTRL`, `VIDIOC_QUERYMENU` and `VIDIOC_G_CTRL`.
    func controls() -> [CameraControl] {
        var controls: [CameraControl] = []
        var id: UInt32 = 0
        while controls.count < 256 {
            var found = cv4l2_control()
            guard unsafe cv4l2_control_after(camera, id, &found) == 0 else { break }
            id = found.id
            controls.append(describe(found))
        }
        return controls
    }

    /// Sets a control by name.
    ///
    /// The corresponding C call is `VIDIOC_S_CTRL`.
    ///
    /// - Throws: `CaptureFault.control` if there is no such control, or the value is out of its range,
    ///   or the driver refuses it.
    func set(_ name: String, to value: Int) throws(CaptureFault) {
        let all = controls()
        guard let control = all.first(where: { $0.name == name }) else {
            let names = all.map { $0.name }.joined(separator: ", ")
            throw .control(
                path: path,
                name: name,
                reason: names.isEmpty ? "the camera has no controls" : "it has " + names
            )
        }
        guard control.kind != .other, !control.isReadOnly else {
            throw .control(path: path, name: name, reason: "it can only be read")
        }
        guard control.kind == .button || (control.minimum...control.maximum).contains(value),
            let value = Int32(exactly: value)
        else {
            throw .control(
                path: path,
                name: name,
                reason: "\(value) is not from \(control.minimum) to \(control.maximum)"
            )
        }
        do throws(V4L2Failure) {
            try V4L2Failure.check(
                unsafe cv4l2_set_control(camera, control.id, value),
                "VIDIOC_S_CTRL"
            )
        } catch {
            let advice = control.isInactive ? "; another control is automatic, set that first" : ""
            throw .control(
                path: path,
                name: name,
                reason: SystemError.reason(error.number) + advice
            )
        }
    }

    private func describe(_ found: cv4l2_control) -> CameraControl {
        let kind: CameraControl.Kind =
            switch UInt32(found.kind) {
            case CV4L2_INTEGER.rawValue: .integer
            case CV4L2_BOOLEAN.rawValue: .boolean
            case CV4L2_MENU.rawValue: .menu
            case CV4L2_BUTTON.rawValue: .button
            default: .other
            }
        var value: Int32 = 0
        var hasValue = kind != .button && kind != .other
        if hasValue { hasValue = unsafe cv4l2_get_control(camera, found.id, &value) == 0 }
        return CameraControl(
            name: CameraControl.name(ofText: CText.string(found.name)),
            kind: kind,
            value: hasValue ? Int(value) : nil,
            minimum: Int(found.minimum),
            maximum: max(Int(found.minimum), Int(found.maximum)),
            step: Int(found.step),
            standard: Int(found.fallback),
            items: kind == .menu ? items(of: found) : [],
            isReadOnly: found.is_read_only != 0,
            isInactive: found.is_inactive != 0,
            id: found.id
        )
    }

    private func items(of found: cv4l2_control) -> [(value: Int, name: String)] {
        var items: [(value: Int, name: String)] = []
        var control = found
        var text = cv4l2_text()
        guard found.minimum >= 0, found.maximum >= found.minimum else { return items }
        // A menu may have gaps.
        for index in UInt32(found.minimum)...UInt32(min(found.maximum, found.minimum + 255))
        where unsafe cv4l2_menu_item(camera, &control, index, &text) == 0 {
            items.append((Int(index), CText.string(text.characters)))
        }
        return items
    }
}
