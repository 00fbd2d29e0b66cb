// SPDX-License-Identifier: Apache-2.0

/// Which mixture of red, green and blue is the luma of a YUV frame.
public enum ColorMatrix: Sendable {
    /// Standard definition, JPEG and nearly all webcams: ITU-R BT.601-7.
    case bt601
    /// High definition: ITU-R BT.709-6.
    case bt709
    /// Ultra high definition, non-constant luminance: ITU-R BT.2020-2.
    case bt2020

    /// The share of red in the luma.
    var red: Double {
        switch self {
        case .bt601: 0.299
        case .bt709: 0.2126
        case .bt2020: 0.2627
        }
    }

    /// The share of blue in the luma.
    var blue: Double {
        switch self {
        case .bt601: 0.114
        case .bt709: 0.0722
        case .bt2020: 0.0593
        }
    }
}
