// SPDX-License-Identifier: Apache-2.0
public import OcellusImage

/// What is wished of a camera; what is nil is chosen.
public struct CameraSettings: Sendable {
    /// The size of the pictures.
    public var size: ImageSize?
    /// The format as V4L2 names it, such as YUYV or MJPG.
    public var format: FourCC?
    /// Pictures per second.
    public var rate: Double?
    /// Controls and their values, by the names that `ocellus cameras` lists.
    public var controls: [(name: String, value: Int)]
    /// The size that a picture needs to have, nil if all of it is wanted.
    ///
    /// JPEG pictures may then be decoded at a half, a quarter or an eighth of their size.
    public var minimum: ImageSize?
    /// How long a camera may give no good picture before it is opened again.
    public var patience: Duration

    /// Wishes; without any, the cheapest pictures of at least 640x480 pixels.
    public init(
        size: ImageSize? = nil,
        format: FourCC? = nil,
        rate: Double? = nil,
        controls: [(name: String, value: Int)] = [],
        minimum: ImageSize? = nil,
        patience: Duration = .seconds(3)
    ) {
        self.size = size
        self.format = format
        self.rate = rate
        self.controls = controls
        self.minimum = minimum
        self.patience = patience
    }
}
