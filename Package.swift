// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// Settings of everything that runs on a board, in the hosted and in the embedded build.
let runtime: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
    .strictMemorySafety(),  // SE-0458
    .treatAllWarnings(as: .error),  // SE-0480
    .treatWarning("EmbeddedRestrictions", as: .error),  // off unless named
]

/// Settings of tests and workstation tools: hosted only.
let hosted: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "ocellus",
    products: [
        .library(name: "Ocellus", targets: ["Ocellus", "OcellusCapture", "OcellusService"]),
        .executable(name: "ocellus", targets: ["ocellus"]),
        .executable(name: "ocellus-kit", targets: ["ocellus-kit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // Level 0: C.
        .target(
            name: "CLibc",
            cSettings: [.define("_GNU_SOURCE")],
            linkerSettings: [.linkedLibrary("m"), .linkedLibrary("pthread")]
        ),
        .target(name: "CKernels", cSettings: [.define("_GNU_SOURCE")]),
        .target(
            name: "CV4L2",
            cSettings: [.define("_GNU_SOURCE")],
            linkerSettings: [.linkedLibrary("dl"), .linkedLibrary("pthread")]
        ),
        .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .systemLibrary(name: "CSPNG", providers: [.apt(["libspng-dev"])]),

        // Level 1.
        .target(name: "OcellusMemory", dependencies: ["CLibc"], swiftSettings: runtime),
        .target(
            name: "OcellusKernels",
            dependencies: ["CKernels", "OcellusMemory"],
            swiftSettings: runtime
        ),

        // Level 2.
        .target(
            name: "OcellusFormat",
            dependencies: ["CLibc", "OcellusMemory"],
            swiftSettings: runtime
        ),
        .target(name: "OcellusTokenizer", swiftSettings: runtime),
        .target(
            name: "OcellusImage",
            dependencies: ["CJPEG", "CLibc", "CSPNG", "OcellusMemory"],
            swiftSettings: runtime,
            // The embedded build does not link what a module map names.
            linkerSettings: [.linkedLibrary("spng")]
        ),

        // Level 3.
        .target(
            name: "OcellusModels",
            dependencies: ["OcellusFormat", "OcellusKernels", "OcellusMemory"],
            swiftSettings: runtime
        ),
        .target(
            name: "OcellusQuantization",
            dependencies: ["CKernels", "OcellusFormat", "OcellusKernels", "OcellusMemory"],
            swiftSettings: hosted
        ),
        .target(
            name: "OcellusConversion",
            dependencies: ["OcellusFormat", "OcellusMemory", "OcellusQuantization"],
            swiftSettings: hosted
        ),
        .target(
            name: "OcellusCapture",
            dependencies: ["CLibc", "CV4L2", "OcellusImage", "OcellusMemory"],
            swiftSettings: runtime
        ),

        // Level 4: the facade.
        .target(
            name: "Ocellus",
            dependencies: [
                "CLibc", "OcellusFormat", "OcellusImage", "OcellusKernels", "OcellusMemory",
                "OcellusModels", "OcellusTokenizer",
            ],
            swiftSettings: runtime
        ),

        // Level 5: what runs for months.
        .target(
            name: "OcellusService",
            dependencies: [
                "CLibc", "Ocellus", "OcellusCapture", "OcellusFormat", "OcellusImage",
                "OcellusMemory",
            ],
            swiftSettings: runtime
        ),

        // What both programs have in common.
        .target(
            name: "OcellusCommand",
            dependencies: [
                "CLibc", "Ocellus", "OcellusCapture", "OcellusFormat", "OcellusImage",
                "OcellusKernels", "OcellusModels",
            ],
            swiftSettings: runtime
        ),

        // Level 6: programs.
        .executableTarget(
            name: "ocellus",
            dependencies: [
                "CLibc", "Ocellus", "OcellusCapture", "OcellusCommand", "OcellusFormat",
                "OcellusImage", "OcellusKernels", "OcellusMemory", "OcellusModels",
                "OcellusService", "OcellusTokenizer",
            ],
            path: "Sources/ocellus-cli",
            swiftSettings: runtime,
            // Symbols are looked up at the start: the tables of the libraries are then given back, and
            // what they are written to is closed.
            linkerSettings: [.unsafeFlags(["-Xlinker", "-z", "-Xlinker", "now"])]
        ),
        .executableTarget(
            name: "ocellus-kit",
            dependencies: [
                "CLibc", "Ocellus", "OcellusCapture", "OcellusCommand", "OcellusConversion",
                "OcellusFormat", "OcellusImage", "OcellusKernels", "OcellusMemory",
                "OcellusModels", "OcellusQuantization", "OcellusTokenizer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: hosted
        ),

        // Tests: hosted, release.
        .executableTarget(
            name: "seal-check",
            dependencies: ["CLibc", "OcellusService"],
            path: "Tests/SealCheck",
            swiftSettings: hosted
        ),
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        .target(
            name: "ReferenceArrays",
            path: "Tests/ReferenceArrays",
            swiftSettings: hosted
        ),
        .target(
            name: "CScriptedCamera",
            dependencies: ["CV4L2"],
            path: "Tests/CScriptedCamera",
            cSettings: [.define("_GNU_SOURCE")]
        ),
        .testTarget(
            name: "OcellusMemoryTests",
            dependencies: ["OcellusMemory"],
            swiftSettings: hosted
        ),
        .testTarget(
            name: "OcellusKernelsTests",
            dependencies: ["OcellusKernels", "OcellusMemory"],
            swiftSettings: hosted
        ),
        .testTarget(
            name: "OcellusFormatTests",
            dependencies: ["OcellusFormat", "OcellusMemory"],
            swiftSettings: hosted
        ),
        .testTarget(
            name: "OcellusTokenizerTests",
            dependencies: ["Ocellus", "OcellusConversion", "OcellusFormat", "OcellusTokenizer"],
            swiftSettings: hosted
        ),
        .testTarget(
            name: "OcellusImageTests",
            dependencies: [
                "CAllocationCounter", "OcellusCapture", "OcellusImage", "OcellusMemory",
            ],
            swiftSettings: hosted
        ),
        .testTarget(
            name: "OcellusCaptureTests",
            dependencies: [
                "CAllocationCounter", "CLibc", "CScriptedCamera", "CV4L2", "OcellusCapture",
                "OcellusImage", "OcellusMemory",
            ],
            swiftSettings: hosted
        ),
        .testTarget(
            name: "OcellusModelsTests",
            dependencies: [
                "OcellusConversion", "OcellusFormat", "OcellusKernels", "OcellusMemory",
                "OcellusModels", "OcellusQuantization", "ReferenceArrays",
            ],
            swiftSettings: hosted
        ),
        .testTarget(
            name: "OcellusQuantizationTests",
            dependencies: [
                "Ocellus", "OcellusFormat", "OcellusKernels", "OcellusMemory",
                "OcellusQuantization",
            ],
            swiftSettings: hosted
        ),
        .testTarget(
            name: "OcellusConversionTests",
            dependencies: [
                "Ocellus", "OcellusConversion", "OcellusFormat", "OcellusImage", "OcellusMemory",
                "OcellusTokenizer", "ReferenceArrays",
            ],
            swiftSettings: hosted
        ),
        .testTarget(
            name: "OcellusTests",
            dependencies: [
                "CAllocationCounter", "Ocellus", "OcellusCapture", "OcellusFormat", "OcellusImage",
                "OcellusMemory", "OcellusModels", "ReferenceArrays",
            ],
            swiftSettings: hosted
        ),
        .testTarget(
            name: "OcellusServiceTests",
            dependencies: [
                "CAllocationCounter", "CLibc", "Ocellus", "OcellusCapture", "OcellusImage",
                "OcellusMemory", "OcellusService",
            ],
            swiftSettings: hosted
        ),
    ]
)
