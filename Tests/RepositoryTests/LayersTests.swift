import Testing

struct LayersTests {
    @Test func `every import points down`() throws {
        expectNone(try Layers.findings(in: Repository.swiftFiles()))
    }

    @Test func `every module is in the table, and every row of the table is a module`() throws {
        let modules = try Set(Repository.folderNames(in: "Sources") + Repository.folderNames(in: "Apps"))
        #expect(modules.subtracting(Layers.allowed.keys) == [], "add the new module to Layers.allowed and Docs/Architecture.md")
        #expect(Set(Layers.allowed.keys).subtracting(modules) == [], "remove the row, or bring the module back")
    }

    @Test func `the table itself has no cycle`() {
        var remaining = Layers.allowed
        while let (module, _) = remaining.first(where: { row in row.value.allSatisfy { remaining[$0] == nil } }) {
            remaining[module] = nil
        }
        #expect(remaining.keys.sorted() == [], "these modules depend on each other in a circle")
    }

    @Test func `every module has tests of its own`() throws {
        let exempt: Set<String> = ["CLinux", "COpenSSL", "CNghttp2", "CPCRE2", "CSQLite", "SystemClock"]
        let tested = try Set(Repository.folderNames(in: "Tests"))
        let untested = try Repository.folderNames(in: "Sources").filter {
            !exempt.contains($0) && !tested.contains("\($0)Tests")
        }
        #expect(untested == [], "give the module a folder Tests/<Module>Tests and a target in Package.swift")
    }

    @Test(arguments: [
        ("Sources/TunnelDomain/Names/Bad.swift", "import Foundation", "stay free of Foundation"),
        ("Sources/TunnelDomain/Bad.swift", "internal import Synchronization", "stay free of Synchronization"),
        ("Sources/TunnelDomain/Bad.swift", "import struct Glibc.stat", "stay free of Glibc"),
        ("Sources/TunnelService/Bad.swift", "import Foundation", "stay free of Foundation"),
        ("Sources/TunnelWire/Bad.swift", "package import Glibc", "stay free of Glibc"),
        ("Sources/TunnelWire/Bad.swift", "package import LinuxIO", "must not import LinuxIO"),
        ("Sources/LinuxIO/Bad.swift", "import TunnelWire", "must not import TunnelWire"),
        ("Sources/TunnelEdge/Bad.swift", "@preconcurrency import FileStorage", "must not import FileStorage"),
        ("Sources/TunnelAPI/Bad.swift", "public import COpenSSL", "imported by TLS alone"),
        ("Sources/TLS/Bad.swift", "import CNghttp2", "imported by HTTPTransport alone"),
        ("Apps/culvertd/Bad.swift", "import CSQLite", "imported by FileStorage alone"),
        ("Sources/TunnelWire/Bad.swift", "import CPCRE2", "imported by TextSearch alone"),
        ("Apps/culvert/Bad.swift", "import TunnelEdge", "must not import TunnelEdge"),
        ("Sources/Newcomer/Bad.swift", "import TunnelDomain", "in no layer"),
    ])
    func `an import that points up is found`(path: String, line: String, advice: String) {
        let findings = Layers.findings(in: [SourceFile(path: path, text: "// first line\n\(line)  // a reason\n")])
        #expect(findings.count == 1)
        #expect(findings.first?.line == 2)
        #expect(findings.first?.advice.contains(advice) == true)
    }

    @Test(arguments: ["// import Foundation", "let important = 1", "importing(Foundation)", "/// import Glibc"])
    func `a line that only looks like an import is none`(line: String) {
        #expect(Layers.findings(in: [SourceFile(path: "Sources/TunnelDomain/Good.swift", text: line)]) == [])
    }
}
