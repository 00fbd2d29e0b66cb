// SPDX-License-Identifier: Apache-2.0
import OcellusCapture
import OcellusImage

/// What `ocellus cameras` says about a device.
enum CameraReport {
    /// Writes a camera for people.
    static func write(_ camera: Camera) {
        let usb = camera.usbAddress.map { ", \($0)" } ?? ""
        writeLine("\(camera.path)  \(camera.name) (\(camera.driver)\(usb))")
        for format in camera.formats {
            let isRead = format.isReadable ? "" : ", not read by ocellus"
            writeLine("  \(format.fourCC.description)  \(format.description)\(isRead)")
            for size in format.sizes {
                var rates: [String] = []
                for rate in size.rates { rates.append(text(rate)) }
                let perSecond = rates.isEmpty ? "" : "  at \(rates.joined(separator: ", "))/s"
                writeLine("    \(text(size))\(perSecond)")
            }
        }
        if camera.needsConversion {
            writeLine("  read through libv4l2, if that can convert it: apt install libv4l-0")
        }
        for control in camera.controls { write(control) }
    }

    /// A device as a JSON object.
    static func json(_ finding: Camera.Finding) -> JSON {
        switch finding {
        case .fault(let fault): return .object([("fault", .string(fault.description))])
        case .camera(let camera):
            var formats: [JSON] = []
            for format in camera.formats { formats.append(json(format)) }
            var controls: [JSON] = []
            for control in camera.controls { controls.append(json(control)) }
            return .object([
                ("path", .string(camera.path)),
                ("name", .string(camera.name)),
                ("driver", .string(camera.driver)),
                ("bus", .string(camera.bus)),
                ("usb", camera.usbAddress.map { .string($0) } ?? .null),
                ("formats", .array(formats)),
                ("needs_libv4l2", .bool(camera.needsConversion)),
                ("controls", .array(controls)),
            ])
        }
    }

    private static func write(_ control: CameraControl) {
        var line = "  --control \(control.name)="
        line += control.value.map { String($0) } ?? "..."
        switch control.kind {
        case .integer:
            line += "  from \(control.minimum) to \(control.maximum)"
            if control.step > 1 { line += " in steps of \(control.step)" }
        case .boolean: line += "  0 or 1"
        case .menu:
            var items: [String] = []
            for item in control.items { items.append("\(item.value) \(item.name)") }
            line += "  " + items.joined(separator: ", ")
        case .button: line += "  does something when it is set"
        case .other: line += "  cannot be set by name"
        }
        if control.kind == .integer || control.kind == .boolean || control.kind == .menu {
            line += ", usually \(control.standard)"
        }
        if control.isReadOnly { line += ", read only" }
        if control.isInactive { line += ", inactive" }
        writeLine(line)
    }

    private static func text(_ size: CameraSize) -> String {
        if size.isDiscrete { return size.maximum.description }
        return "\(size.minimum.description) to \(size.maximum.description)"
            + " in steps of \(size.step.description)"
    }

    private static func text(_ rate: CameraRate) -> String {
        let highest = shortDecimal(rate.highest)
        return rate.lowest == rate.highest ? highest : "\(shortDecimal(rate.lowest))-\(highest)"
    }

    /// At most two digits behind the point.
    private static func shortDecimal(_ value: Double) -> String {
        value == value.rounded() ? decimal(value, 0) : decimal(value, 2)
    }

    private static func json(_ format: CameraFormat) -> JSON {
        var sizes: [JSON] = []
        for size in format.sizes {
            var rates: [JSON] = []
            for rate in size.rates {
                rates.append(
                    .object([
                        ("lowest", .number(rate.lowest, digits: 3)),
                        ("highest", .number(rate.highest, digits: 3)),
                    ])
                )
            }
            var members: [(String, JSON)] = [
                ("width", .int(size.maximum.width)),
                ("height", .int(size.maximum.height)),
            ]
            if !size.isDiscrete {
                members += [
                    ("least_width", .int(size.minimum.width)),
                    ("least_height", .int(size.minimum.height)),
                    ("step_width", .int(size.step.width)),
                    ("step_height", .int(size.step.height)),
                ]
            }
            sizes.append(.object(members + [("rates", .array(rates))]))
        }
        return .object([
            ("format", .string(format.fourCC.description)),
            ("description", .string(format.description)),
            ("readable", .bool(format.isReadable)),
            ("sizes", .array(sizes)),
        ])
    }

    private static func json(_ control: CameraControl) -> JSON {
        var items: [JSON] = []
        for item in control.items {
            items.append(.object([("value", .int(item.value)), ("name", .string(item.name))]))
        }
        return .object([
            ("name", .string(control.name)),
            ("kind", .string(control.kind.description)),
            ("value", control.value.map { .int($0) } ?? .null),
            ("minimum", .int(control.minimum)),
            ("maximum", .int(control.maximum)),
            ("step", .int(control.step)),
            ("standard", .int(control.standard)),
            ("items", .array(items)),
            ("read_only", .bool(control.isReadOnly)),
            ("inactive", .bool(control.isInactive)),
        ])
    }
}
