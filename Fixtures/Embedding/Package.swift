// swift-tools-version: 6.3
import PackageDescription

// A package of somebody else: what it takes to use Culvert's rules, and to put an agent into a program.
// In a package of your own write .package(url: "…", branch: "main") or the path to your checkout.
let package = Package(
    name: "embedding",
    dependencies: [.package(name: "culvert", path: "../..")],
    targets: [
        .executableTarget(name: "name-check", dependencies: [.product(name: "TunnelDomain", package: "culvert")]),
        .executableTarget(
            name: "guestbook",
            dependencies: [
                .product(name: "TunnelAgent", package: "culvert"), .product(name: "TunnelClient", package: "culvert"),
            ]),
    ]
)
