/// Who may depend on whom. Docs/Architecture.md draws the same table; Package.swift builds by it.
enum Layers {
    /// What each module may import of the project's own modules.
    static let allowed: [String: Set<String>] = [
        "TunnelDomain": [],
        "TunnelWire": ["TunnelDomain"],
        "TunnelService": ["TunnelDomain", "TunnelWire"],
        "CLinux": [], "COpenSSL": [], "CNghttp2": [], "CPCRE2": [], "CSQLite": [],
        "LinuxIO": ["CLinux", "TunnelDomain"],
        "TLS": ["COpenSSL", "LinuxIO", "TunnelDomain", "TunnelService", "TunnelWire"],
        "TextSearch": ["CPCRE2", "TunnelWire"],
        "HTTPTransport": ["CNghttp2", "LinuxIO", "TLS", "TunnelDomain", "TunnelWire"],
        "FileStorage": ["CSQLite", "TunnelDomain", "TunnelService"],
        "SystemClock": ["TunnelDomain", "TunnelService"],
        "TunnelAPI": ["HTTPTransport", "TunnelDomain", "TunnelService", "TunnelWire"],
        "TunnelEdge": ["HTTPTransport", "LinuxIO", "TLS", "TunnelDomain", "TunnelService", "TunnelWire"],
        "TunnelAgent": ["HTTPTransport", "LinuxIO", "TLS", "TunnelDomain", "TunnelWire"],
        "TunnelClient": ["HTTPTransport", "LinuxIO", "TLS", "TunnelDomain", "TunnelWire"],
        "TunnelProfile": ["TunnelAgent", "TunnelClient", "TunnelDomain"],
        "culvertd": [
            "FileStorage", "HTTPTransport", "LinuxIO", "SystemClock", "TLS", "TunnelAPI", "TunnelDomain", "TunnelEdge",
            "TunnelService", "TunnelWire",
        ],
        "culvert-hook": [
            "FileStorage", "HTTPTransport", "LinuxIO", "SystemClock", "TLS", "TextSearch", "TunnelAgent", "TunnelClient",
            "TunnelDomain", "TunnelProfile", "TunnelService", "TunnelWire",
        ],
        "culvert": ["LinuxIO", "TunnelAgent", "TunnelClient", "TunnelDomain", "TunnelProfile", "TunnelWire"],
        "culvert-rpc": ["LinuxIO", "TunnelAgent", "TunnelClient", "TunnelDomain", "TunnelProfile", "TunnelWire"],
    ]

    /// The toolchain's modules that a pure module may import; a module not named here may import any of them.
    static let allowedOfTheToolchain: [String: Set<String>] = [
        "TunnelDomain": [],
        "TunnelService": ["Synchronization"],
        "TunnelWire": ["Foundation", "FoundationEssentials", "Synchronization"],
    ]

    /// The one module that wraps each C library.
    static let wrapper = [
        "CLinux": "LinuxIO", "COpenSSL": "TLS", "CNghttp2": "HTTPTransport", "CPCRE2": "TextSearch", "CSQLite": "FileStorage",
    ]

    /// Libraries for others to embed: only here does `public` mean something.
    static let products: Set<String> = ["TunnelDomain", "TunnelAgent", "TunnelClient"]
}

extension Layers {
    /// Imports that point up, sideways, or at the machine from a module that must not know it.
    static func findings(in files: [SourceFile]) -> [Finding] {
        files.filter { $0.isSource || $0.isApp }.flatMap { file in
            file.imports.compactMap { finding(for: $0, in: file) }
        }
    }

    private static func finding(for line: Import, in file: SourceFile) -> Finding? {
        guard let module = file.module, let mayImport = allowed[module] else {
            return Finding(path: file.path, line: line.line, advice: "this module is in no layer: add it to Layers.allowed")
        }
        if allowed[line.module] != nil {
            guard !mayImport.contains(line.module), line.module != module else { return nil }
            return Finding(path: file.path, line: line.line, advice: directionAdvice(from: module, to: line.module))
        }
        guard let toolchain = allowedOfTheToolchain[module], !toolchain.contains(line.module) else { return nil }
        return Finding(path: file.path, line: line.line, advice: purityAdvice(of: module, importing: line.module))
    }

    private static func directionAdvice(from module: String, to other: String) -> String {
        guard let home = wrapper[other] else {
            return "\(module) must not import \(other): move what both need down a layer, or pass it in from Apps"
        }
        return "\(other) is imported by \(home) alone: add what is needed there, in Swift's terms, and import \(home)"
    }

    private static func purityAdvice(of module: String, importing other: String) -> String {
        "\(module) must stay free of \(other): take time, chance, bytes and files as arguments or through a port"
    }
}
