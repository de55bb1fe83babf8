// swift-tools-version: 6.3
import PackageDescription

// Culvert has no package dependency: the toolchain's modules and the distribution's C libraries are enough.
// One module wraps each C library; Docs/Architecture.md tells who may depend on whom.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]
// The rules and the use cases contain no unsafe construct at all; the compiler holds them to it.
let strictAndSafe: [SwiftSetting] = strict + [.strictMemorySafety()]

func library(_ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = strict) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies + ["TestSupport"], path: "Tests/\(name)Tests", swiftSettings: strict)
}

let package = Package(
    name: "culvert",
    products: [
        .library(name: "TunnelDomain", targets: ["TunnelDomain"]),
        .library(name: "TunnelAgent", targets: ["TunnelAgent"]),
        .library(name: "TunnelClient", targets: ["TunnelClient"]),
        .executable(name: "culvertd", targets: ["culvertd"]),
        .executable(name: "culvert", targets: ["culvert"]),
        .executable(name: "culvert-hook", targets: ["culvert-hook"]),
        .executable(name: "culvert-rpc", targets: ["culvert-rpc"]),
    ],
    targets: [
        // The rules, and the words they travel in.
        library("TunnelDomain", settings: strictAndSafe),
        library("TunnelWire", ["TunnelDomain"]),

        // The machine: one wrapper for each C library.
        .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
        .systemLibrary(name: "COpenSSL", path: "Sources/COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CNghttp2", path: "Sources/CNghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CSQLite", path: "Sources/CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CPCRE2", path: "Sources/CPCRE2", providers: [.apt(["libpcre2-dev"])]),
        library("LinuxIO", ["CLinux", "TunnelDomain"]),
        library("TLS", ["COpenSSL", "LinuxIO", "TunnelDomain", "TunnelService", "TunnelWire"]),
        library("TextSearch", ["CPCRE2", "TunnelWire"]),
        library("HTTPTransport", ["CNghttp2", "LinuxIO", "TLS", "TunnelDomain", "TunnelWire"]),

        // The use cases, and the adapters of their ports.
        library("TunnelService", ["TunnelDomain", "TunnelWire"], settings: strictAndSafe),
        library("FileStorage", ["CSQLite", "TunnelDomain", "TunnelService"]),
        library("SystemClock", ["TunnelDomain", "TunnelService"]),

        // The fronts' common parts.
        library("TunnelAPI", ["HTTPTransport", "TunnelDomain", "TunnelService", "TunnelWire"]),
        library("TunnelEdge", ["HTTPTransport", "LinuxIO", "TLS", "TunnelDomain", "TunnelService", "TunnelWire"]),
        library("TunnelAgent", ["HTTPTransport", "LinuxIO", "TLS", "TunnelDomain", "TunnelWire"]),
        library("TunnelClient", ["HTTPTransport", "LinuxIO", "TLS", "TunnelDomain", "TunnelWire"]),
        library("TunnelProfile", ["TunnelAgent", "TunnelClient", "TunnelDomain"]),

        // Composition only.
        .executableTarget(
            name: "culvertd",
            dependencies: [
                "FileStorage", "HTTPTransport", "LinuxIO", "SystemClock", "TLS", "TunnelAPI", "TunnelDomain", "TunnelEdge",
                "TunnelService", "TunnelWire",
            ],
            path: "Apps/culvertd", swiftSettings: strict),
        .executableTarget(
            name: "culvert",
            dependencies: ["LinuxIO", "TunnelAgent", "TunnelClient", "TunnelDomain", "TunnelProfile", "TunnelWire"],
            path: "Apps/culvert", swiftSettings: strict),
        .executableTarget(
            name: "culvert-hook",
            dependencies: [
                "FileStorage", "HTTPTransport", "LinuxIO", "SystemClock", "TLS", "TextSearch", "TunnelAgent", "TunnelClient",
                "TunnelDomain", "TunnelProfile", "TunnelService", "TunnelWire",
            ],
            path: "Apps/culvert-hook", swiftSettings: strict),
        .executableTarget(
            name: "culvert-rpc",
            dependencies: ["LinuxIO", "TunnelAgent", "TunnelClient", "TunnelDomain", "TunnelProfile", "TunnelWire"],
            path: "Apps/culvert-rpc", swiftSettings: strict),

        // Tests: one target per module.
        .target(
            name: "TestSupport", dependencies: ["HTTPTransport", "TunnelDomain", "TunnelService"], path: "Tests/TestSupport",
            swiftSettings: strict),
        tests("TunnelDomain", ["TunnelDomain"]),
        tests("TunnelWire", ["TLS", "TextSearch", "TunnelDomain", "TunnelWire"]),
        tests("TextSearch", ["TextSearch", "TunnelWire"]),
        tests("LinuxIO", ["LinuxIO", "TunnelDomain"]),
        tests("TLS", ["LinuxIO", "TLS", "TunnelDomain", "TunnelService", "TunnelWire"]),
        tests("HTTPTransport", ["HTTPTransport", "LinuxIO", "TLS", "TunnelDomain", "TunnelWire"]),
        tests("TunnelService", ["TunnelDomain", "TunnelService", "TunnelWire"]),
        tests("FileStorage", ["FileStorage", "TunnelDomain", "TunnelService", "store-crasher"]),
        .executableTarget(
            name: "store-crasher", dependencies: ["FileStorage", "TunnelDomain", "TunnelService"], path: "Tests/StoreCrasher",
            swiftSettings: strict),
        tests("TunnelAPI", ["HTTPTransport", "TunnelAPI", "TunnelDomain", "TunnelService", "TunnelWire"]),
        tests("TunnelEdge", ["HTTPTransport", "LinuxIO", "TLS", "TunnelDomain", "TunnelEdge", "TunnelService", "TunnelWire"]),
        tests("TunnelAgent", ["HTTPTransport", "LinuxIO", "TLS", "TunnelAgent", "TunnelDomain", "TunnelWire"]),
        tests("TunnelClient", ["TunnelClient"]),
        tests("TunnelProfile", ["TunnelAgent", "TunnelClient", "TunnelDomain", "TunnelProfile"]),
        tests("CulvertHook", ["culvert-hook", "FileStorage", "TunnelDomain", "TunnelService", "TunnelWire"]),
        tests("Culvert", ["TunnelAgent", "TunnelClient", "TunnelDomain", "TunnelProfile", "culvert"]),
        tests("CulvertRPC", ["LinuxIO", "TunnelAgent", "TunnelDomain", "TunnelWire", "culvert-rpc"]),
        tests(
            "Culvertd",
            ["culvertd", "FileStorage", "LinuxIO", "TLS", "TunnelAPI", "TunnelDomain", "TunnelService", "TunnelWire"]),
        tests("Repository", []),
    ]
)
