// swift-tools-version: 6.3
import PackageDescription

// A package of its own, because fuzzers need compiler flags that nothing else may have. Sources/TunnelWire is a link to the
// module under test, and TunnelDomain to what it needs; the package has the same name, so that `package` declarations are
// visible here.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

// libFuzzer brings its own main; `run` adds -sanitize=fuzzer,address on the command line.
func fuzzer(_ name: String) -> Target {
    .executableTarget(
        name: name, dependencies: ["TunnelDomain", "TunnelWire"], path: "Sources/\(name)",
        swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
    name: "culvert",
    targets: [
        .target(name: "TunnelDomain", path: "Sources/TunnelDomain", swiftSettings: settings),
        .target(name: "TunnelWire", dependencies: ["TunnelDomain"], path: "Sources/TunnelWire", swiftSettings: settings),
        .executableTarget(
            name: "wire-probe", dependencies: ["TunnelWire"], path: "Sources/wire-probe", swiftSettings: settings),
        fuzzer("FuzzRequests"),
        fuzzer("FuzzResponses"),
        fuzzer("FuzzClientHello"),
        fuzzer("FuzzEnvelopes"),
        fuzzer("FuzzHosts"),
        fuzzer("FuzzWebSocket"),
        fuzzer("FuzzTCPBridge"),
        fuzzer("FuzzJSONRPC"),
        fuzzer("FuzzWebhooks"),
    ]
)
