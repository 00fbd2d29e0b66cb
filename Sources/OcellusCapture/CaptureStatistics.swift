// SPDX-License-Identifier: Apache-2.0

/// What a live source has counted since it was opened.
public struct CaptureStatistics: Sendable {
    /// Pictures that were handed out.
    public var delivered = 0
    /// Good pictures that were never looked at, because a newer one came first.
    public var superseded = 0
    /// Pictures that the driver lost, by its own numbers.
    public var lost = 0
    /// Pictures that the driver marked as damaged.
    public var flagged = 0
    /// Pictures with less data than their format needs.
    public var short = 0
    /// JPEG pictures that end too early, or are none.
    public var damaged = 0
    /// Pictures whose time was not that of the system's clock.
    public var untimed = 0
    /// How often the pictures stopped.
    public var outages = 0
    /// How often opening again was tried in vain.
    public var failedReopens = 0

    /// Nothing counted yet.
    public init() {}

    /// All pictures that were left out because something was wrong with them.
    public var bad: Int { flagged + short + damaged }
}
