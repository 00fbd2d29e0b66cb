// SPDX-License-Identifier: Apache-2.0
import OcellusCapture
import OcellusCommand
import OcellusImage

/// The options by which a camera is adjusted.
enum CameraOptions {
    static let options = [
        Option("--size", "WxH"), Option("--format", "NAME"), Option("--rate", "N"),
        Option("--control", "NAME=VALUE", isRepeatable: true),
    ]

    /// Their names.
    static var names: [String] { options.map { $0.name } }

    static let help = """

          cameras (a --source such as /dev/video0 or usb:046d:0825):
          --size WxH          size of the pictures (default: the cheapest of at least 640x480)
          --format NAME       pixel format, as `ocellus cameras` lists them: YUYV, NV12, MJPG, ...
                              (default: the cheapest to convert)
          --rate N            pictures per second (default: as the camera likes)
          --control NAME=VALUE  exposure_time_absolute=200, power_line_frequency=1, ...; repeatable
                              (default: as they are)
        """

    /// The wishes of the arguments.
    static func settings(
        _ arguments: Arguments,
        minimum: ImageSize? = nil
    ) throws(CommandError) -> CameraSettings {
        var settings = CameraSettings(minimum: minimum)
        if let text = arguments.string("--size") {
            guard let size = ImageSize(parsing: text) else {
                throw .usage("--size '\(text)' is not a size in pixels, such as 640x480")
            }
            settings.size = size
        }
        if let text = arguments.string("--format") {
            guard let format = FourCC(text) else {
                throw .usage("--format '\(text)' is not the name of a pixel format, such as YUYV")
            }
            settings.format = format
        }
        if arguments.has("--rate") {
            settings.rate = Double(try arguments.float("--rate", default: 30, in: 0.01...1000))
        }
        for text in arguments.strings("--control") {
            let parts = text.split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard parts.count == 2, !parts[0].isEmpty, let value = Int(String(parts[1])) else {
                throw .usage("--control '\(text)' is not NAME=VALUE with a whole number")
            }
            settings.controls.append((name: String(parts[0]), value: value))
        }
        return settings
    }
}
