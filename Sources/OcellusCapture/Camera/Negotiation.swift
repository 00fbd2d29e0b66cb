// SPDX-License-Identifier: Apache-2.0
import OcellusImage

/// What to ask a camera for: the cheapest pictures that are large enough and come often enough.
///
/// Every format, size and rate that the camera has is a candidate. Ranked are, in this order: the
/// format and the size that were asked for; pictures that are not too small; pictures that are not too
/// rare; the cost of a picture, which is its pixels times the cost of a pixel (`CameraCoding`). So a
/// compressed format is taken only if the others are too small or too slow.
struct Negotiation {
    /// One thing to ask for.
    struct Candidate {
        let format: FourCC
        let coding: CameraCoding
        let size: ImageSize
        /// Nil if the driver does not say.
        let rate: CameraRate?
        let isTooSmall: Bool
        let isTooSlow: Bool
        /// Whether format and size are those that were asked for.
        let isAsWished: Bool

        /// The cost of a picture.
        var cost: Double { coding.costPerPixel * Double(size.pixelCount) }

        /// As people say it: `640x480 YUYV at up to 30/s`.
        var description: String { "\(size.description) \(format.description)" }
    }

    /// All candidates, the best one first.
    let candidates: [Candidate]

    /// Without a wish, pictures have at least this size.
    static let usualSize = ImageSize(width: 640, height: 480)
    /// Without a wish, pictures come at least so often in a second.
    static let usualRate = 10.0

    private let settings: CameraSettings
    private let leastSize: ImageSize

    /// Ranks what a camera has.
    ///
    /// - Parameters:
    ///   - formats: what it has.
    ///   - settings: what is wished.
    ///   - limit: no larger picture is accepted.
    init(_ formats: [CameraFormat], settings: CameraSettings, limit: ImageSize) {
        self.settings = settings
        let usual = settings.minimum?.union(Negotiation.usualSize) ?? Negotiation.usualSize
        leastSize = settings.size ?? usual
        let wish = ImageSize(
            width: min(leastSize.width, limit.width),
            height: min(leastSize.height, limit.height)
        )
        var all: [Candidate] = []
        // A format that is not listed is asked for all the same: not every driver lists all.
        if let wished = settings.format, let coding = CameraCoding(wished),
            !formats.contains(where: { $0.fourCC == wished })
        {
            all.append(
                Candidate(
                    format: wished,
                    coding: coding,
                    size: wish,
                    rate: nil,
                    isTooSmall: false,
                    isTooSlow: false,
                    isAsWished: true
                )
            )
        }
        for format in formats {
            guard let coding = CameraCoding(format.fourCC) else { continue }
            // A driver that lists no sizes is asked for the wish; it answers with what it has.
            if format.sizes.isEmpty {
                all.append(Negotiation.candidate(format, coding, wish, nil, settings, leastSize))
            }
            for entry in format.sizes {
                let size = entry.nearest(to: wish)
                guard size.fits(in: limit) else { continue }
                let rate = Negotiation.rate(of: entry.rates, wish: settings.rate)
                all.append(Negotiation.candidate(format, coding, size, rate, settings, leastSize))
            }
        }
        // Insertion keeps the driver's order among equals, which `sort` does not promise.
        var ranked: [Candidate] = []
        for candidate in all {
            let place = ranked.firstIndex { Negotiation.isBetter(candidate, than: $0) }
            ranked.insert(candidate, at: place ?? ranked.count)
        }
        candidates = ranked
    }

    /// Why the best candidate is the best.
    func reason(for chosen: Candidate) -> String {
        if settings.format == chosen.format || settings.size == chosen.size { return "as asked" }
        let least = leastSize.description
        if chosen.isTooSmall { return "the camera's largest; \(least) would be better" }
        let raw = candidates.first { !$0.coding.isJPEG && $0.coding.samples != .gray8 }
        guard chosen.coding.isJPEG, let raw else {
            return "the cheapest of at least \(least)"
        }
        let name = raw.format.description
        return raw.isTooSmall
            ? "because \(name) has at most \(raw.size.description)"
            : "because \(name) has at most \(CameraRate.text(raw.rate?.highest ?? 0))/s"
    }

    private static func candidate(
        _ format: CameraFormat,
        _ coding: CameraCoding,
        _ size: ImageSize,
        _ rate: CameraRate?,
        _ settings: CameraSettings,
        _ leastSize: ImageSize
    ) -> Candidate {
        let isTooSlow = rate.map { $0.highest < (settings.rate ?? usualRate) * 0.99 } ?? false
        return Candidate(
            format: format.fourCC,
            coding: coding,
            size: size,
            rate: rate,
            isTooSmall: !leastSize.fits(in: size),
            isTooSlow: isTooSlow,
            isAsWished: (settings.format.map { $0 == format.fourCC } ?? true)
                && (settings.size.map { $0 == size } ?? true)
        )
    }

    /// The rate for a wish: the lowest that is high enough; without a wish, the highest up to 30.
    private static func rate(of rates: [CameraRate], wish: Double?) -> CameraRate? {
        var best: CameraRate?
        for rate in rates {
            guard let current = best else {
                best = rate
                continue
            }
            let (new, old) = (rate.highest, current.highest)
            if let wish {
                let isEnough = new >= wish * 0.99
                let wasEnough = old >= wish * 0.99
                if isEnough != wasEnough ? isEnough : isEnough ? new < old : new > old {
                    best = rate
                }
            } else {
                let isUsual = new <= 30.01
                let wasUsual = old <= 30.01
                if isUsual != wasUsual ? isUsual : isUsual ? new > old : new < old { best = rate }
            }
        }
        return best
    }

    private static func isBetter(_ a: Candidate, than b: Candidate) -> Bool {
        if a.isAsWished != b.isAsWished { return a.isAsWished }
        if a.isTooSmall != b.isTooSmall { return b.isTooSmall }
        if a.isTooSmall, a.size.pixelCount != b.size.pixelCount {
            return a.size.pixelCount > b.size.pixelCount
        }
        if a.isTooSlow != b.isTooSlow { return b.isTooSlow }
        return a.cost < b.cost
    }
}

extension CameraRate {
    /// A rate with at most one digit behind the point.
    static func text(_ perSecond: Double) -> String {
        guard perSecond.isFinite, perSecond >= 0, perSecond < 1e6 else { return "?" }
        let tenths = Int((perSecond * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
