// SPDX-License-Identifier: Apache-2.0
import OcellusImage
import Testing

@testable import OcellusCapture

@Suite struct NegotiationTests {
    /// What a usual webcam lists: uncompressed pictures get slow with their size.
    static let webcam = [
        format("YUYV", [(320, 240, 30), (640, 480, 30), (1280, 720, 5)]),
        format("MJPG", [(320, 240, 30), (640, 480, 30), (1280, 720, 30), (1920, 1080, 30)]),
    ]

    @Test func theCheapestOfTheUsualSizeIsChosen() throws {
        try expect(
            Self.webcam,
            CameraSettings(),
            "640x480 YUYV",
            "the cheapest of at least 640x480"
        )
    }

    @Test func aWishedSizeComesFirst() throws {
        try expect(
            Self.webcam,
            CameraSettings(size: ImageSize(width: 320, height: 240)),
            "320x240 YUYV",
            "as asked"
        )
    }

    @Test("compressed pictures if the others are too slow, too small, or wished")
    func compressed() throws {
        var large = CameraSettings()
        large.minimum = ImageSize(width: 1280, height: 720)
        try expect(Self.webcam, large, "1280x720 MJPG", "because YUYV has at most 5/s")
        large.minimum = ImageSize(width: 1920, height: 1080)
        try expect(Self.webcam, large, "1920x1080 MJPG", "because YUYV has at most 1280x720")
        let slow = CameraSettings(size: ImageSize(width: 1280, height: 720), rate: 5)
        try expect(Self.webcam, slow, "1280x720 YUYV", "as asked")
        try expect(Self.webcam, CameraSettings(format: FourCC("mjpeg")), "640x480 MJPG", "as asked")
    }

    @Test("half the bytes of a pixel are cheaper, gray is the last choice")
    func cost() throws {
        let formats = [
            Self.format("GREY", [(640, 480, 30)]), Self.format("BGR3", [(640, 480, 30)]),
            Self.format("MJPG", [(640, 480, 30)]), Self.format("NV12", [(640, 480, 30)]),
            Self.format("YUYV", [(640, 480, 30)]), Self.format("H264", [(640, 480, 30)]),
        ]
        let order = Negotiation(formats, settings: CameraSettings(), limit: .standardLimit)
            .candidates.map { $0.format.description }
        #expect(order == ["NV12", "YUYV", "BGR3", "MJPG", "GREY"])
    }

    @Test func theLargestIfAllAreTooSmall() throws {
        try expect(
            [Self.format("YUYV", [(160, 120, 30), (320, 240, 30)])],
            CameraSettings(),
            "320x240 YUYV",
            "the camera's largest; 640x480 would be better"
        )
    }

    @Test func sizesWithinARange() throws {
        let range = CameraSize(
            minimum: ImageSize(width: 16, height: 16),
            maximum: ImageSize(width: 4096, height: 4096),
            step: ImageSize(width: 64, height: 100),
            rates: []
        )
        let format = CameraFormat(
            fourCC: try #require(FourCC("UYVY")),
            description: "",
            isEmulated: false,
            isReadable: true,
            sizes: [range]
        )
        try expect([format], CameraSettings(), "656x516 UYVY", "the cheapest of at least 640x480")
    }

    @Test func noPictureIsLargerThanTheLimit() {
        let limit = ImageSize(width: 639, height: 480)
        let sizes = Negotiation(Self.webcam, settings: CameraSettings(), limit: limit)
            .candidates.map { $0.size }
        #expect(sizes.allSatisfy { $0.fits(in: limit) } && !sizes.isEmpty)
    }

    @Test("the rate", arguments: [(nil, 30.0), (10.0, 15.0), (60.0, 60.0), (100.0, 60.0)])
    func rate(wish: Double?, chosen: Double) throws {
        let formats = [
            Self.format("YUYV", [(640, 480, 60), (640, 480, 30), (640, 480, 15), (640, 480, 5)])
        ]
        var size = formats[0].sizes[0]
        size.rates = formats[0].sizes.flatMap { $0.rates }
        var format = formats[0]
        format.sizes = [size]
        let best = try #require(
            Negotiation([format], settings: CameraSettings(rate: wish), limit: .standardLimit)
                .candidates.first
        )
        #expect(best.rate?.highest == chosen)
    }

    @Test func namesOfFormats() {
        #expect(FourCC("yuyv")?.description == "YUYV")
        #expect(FourCC("gray") == FourCC("GREY"))
        #expect(FourCC("") == nil)
        #expect(FourCC("toolong") == nil)
        #expect(FourCC(code: 0x0A1B_5B41).description == "A[??")
    }

    private func expect(
        _ formats: [CameraFormat],
        _ settings: CameraSettings,
        _ choice: String,
        _ reason: String
    ) throws {
        let negotiation = Negotiation(formats, settings: settings, limit: .standardLimit)
        let best = try #require(negotiation.candidates.first)
        #expect(best.description == choice)
        #expect(negotiation.reason(for: best) == reason)
    }

    private static func format(_ name: String, _ sizes: [(Int, Int, UInt32)]) -> CameraFormat {
        CameraFormat(
            fourCC: FourCC(name) ?? FourCC(code: 0),
            description: name,
            isEmulated: false,
            isReadable: true,
            sizes: sizes.map { width, height, rate in
                let size = ImageSize(width: width, height: height)
                return CameraSize(
                    minimum: size,
                    maximum: size,
                    step: ImageSize(width: 1, height: 1),
                    rates: [CameraRate(shortest: (1, rate), longest: (1, rate))]
                )
            }
        )
    }
}
