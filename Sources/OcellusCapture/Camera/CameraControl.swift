// SPDX-License-Identifier: Apache-2.0

/// Something that can be adjusted at a camera, such as exposure, focus or power-line frequency.
public struct CameraControl: Sendable {
    /// What its value is.
    public enum Kind: Sendable {
        case integer, boolean, menu, button, other

        /// As it is listed.
        public var description: String {
            switch self {
            case .integer: "int"
            case .boolean: "bool"
            case .menu: "menu"
            case .button: "button"
            case .other: "other"
            }
        }
    }

    /// The name by which it is set, as v4l2-ctl prints it: `exposure_time_absolute`.
    public var name: String
    /// What its value is.
    public var kind: Kind
    /// The value now; nil if it has none or cannot be read.
    public var value: Int?
    /// The least value.
    public var minimum: Int
    /// The greatest value.
    public var maximum: Int
    /// How far values are apart.
    public var step: Int
    /// The value after the camera was plugged in.
    public var standard: Int
    /// The names of a menu's values.
    public var items: [(value: Int, name: String)]
    /// Whether it can only be read.
    public var isReadOnly: Bool
    /// Whether another control keeps it from having an effect, as an automatic exposure does.
    public var isInactive: Bool
    /// V4L2's number for it.
    var id: UInt32

    /// The driver's words as one name: lower case, words joined by `_`.
    static func name(ofText text: String) -> String {
        var bytes: [UInt8] = []
        var isWord = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                if !isWord, !bytes.isEmpty { bytes.append(UInt8(ascii: "_")) }
                bytes.append(byte <= UInt8(ascii: "Z") && byte >= 0x41 ? byte | 0x20 : byte)
                isWord = true
            default: isWord = false
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
