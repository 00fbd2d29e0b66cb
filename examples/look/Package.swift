// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
    name: "look",
    dependencies: [.package(name: "ocellus", path: "../..")],
    targets: [
        .executableTarget(
            name: "look",
            dependencies: [.product(name: "Ocellus", package: "ocellus")]
        )
    ]
)
