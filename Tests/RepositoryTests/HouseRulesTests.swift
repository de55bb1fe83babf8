import Testing

struct HouseRulesTests {
    /// These tests quote what they forbid, so they do not read themselves.
    static func files() throws -> [SourceFile] {
        try Repository.swiftFiles().filter { !$0.path.hasPrefix("Tests/RepositoryTests/") }
    }

    @Test func `the unsafe constructs carry their reasons`() throws {
        expectNone(try Self.files().flatMap(HouseRules.unexplained))
    }

    @Test func `nothing is promised for later`() throws {
        expectNone(try Self.files().flatMap(HouseRules.promises))
    }

    @Test func `files and lines are short enough to read`() throws {
        expectNone(try Repository.swiftFiles().flatMap(HouseRules.oversize))
    }

    @Test func `only the products are public`() throws {
        expectNone(try Self.files().flatMap(HouseRules.strayPublic))
    }

    @Test func `what is public is explained`() throws {
        expectNone(try Self.files().flatMap(HouseRules.undocumentedPublic))
    }

    @Test func `types are named for what they are`() throws {
        expectNone(try Self.files().flatMap(HouseRules.emptyNames))
    }

    @Test(arguments: [
        "let x = try! read()", "let y = value as! Int", "final class A: @unchecked Sendable {}",
        "nonisolated(unsafe) var count = 0",
    ])
    func `an unsafe construct without a reason is found`(line: String) {
        #expect(HouseRules.unexplained(in: SourceFile(path: "Sources/TLS/Bad.swift", text: "\n\(line)\n")).map(\.line) == [2])
        let above = SourceFile(path: "Sources/TLS/Good.swift", text: "// The lock below guards it.\n\(line)\n")
        #expect(HouseRules.unexplained(in: above) == [])
        let beside = SourceFile(path: "Sources/TLS/Good.swift", text: "\(line)  // the lock below guards it\n")
        #expect(HouseRules.unexplained(in: beside) == [])
    }

    @Test func `one reason serves the lines below it, up to the first that needs none`() {
        let line = "nonisolated(unsafe) let pointer: Pointer"
        let together = SourceFile(path: "Sources/TLS/Good.swift", text: "// Counted atomically.\n\(line)\n\(line)\n")
        #expect(HouseRules.unexplained(in: together) == [])
        let apart = SourceFile(path: "Sources/TLS/Bad.swift", text: "// Counted atomically.\n\(line)\nlet x = 1\n\(line)\n")
        #expect(HouseRules.unexplained(in: apart).map(\.line) == [4])
    }

    @Test func `a word that ends like a construct is none`() {
        let text = "let has = true; if !has { retry() }\nlet canvas = \"as! in a string is text\"\n"
        #expect(HouseRules.unexplained(in: SourceFile(path: "Sources/TLS/Good.swift", text: text)) == [])
    }

    @Test(arguments: ["// TODO: later", "fatalError(\"not implemented\")", "/* FIXME */"])
    func `a promise is found`(line: String) {
        #expect(HouseRules.promises(in: SourceFile(path: "Apps/culvert/Bad.swift", text: line)).count == 1)
    }

    @Test func `a file one line too long is found, and one just short enough is not`() {
        let long = String(repeating: "x\n", count: HouseRules.lineCountMax + 1)
        #expect(HouseRules.oversize(in: SourceFile(path: "Sources/TLS/Bad.swift", text: long)).count == 1)
        let short = String(repeating: "x\n", count: HouseRules.lineCountMax)
        #expect(HouseRules.oversize(in: SourceFile(path: "Sources/TLS/Good.swift", text: short)) == [])
    }

    @Test func `a line one column too wide is found, and one just narrow enough is not`() {
        let wide = String(repeating: "x", count: HouseRules.columnCountMax + 1)
        #expect(HouseRules.oversize(in: SourceFile(path: "Sources/TLS/Bad.swift", text: wide)).count == 1)
        #expect(HouseRules.oversize(in: SourceFile(path: "Sources/TLS/Good.swift", text: String(wide.dropLast()))) == [])
    }

    @Test func `an app that is more than composition is found`() {
        let text = String(repeating: "x\n", count: HouseRules.appMainLineCountMax + 1)
        #expect(HouseRules.oversize(in: SourceFile(path: "Apps/culvertd/main.swift", text: text)).count == 1)
    }

    @Test(arguments: ["public func open() {}", "    public import Foundation", "@inlinable public var x: Int { 1 }"])
    func `public outside the products is found`(line: String) {
        #expect(HouseRules.strayPublic(in: SourceFile(path: "Sources/TLS/Bad.swift", text: line)).count == 1)
        #expect(HouseRules.strayPublic(in: SourceFile(path: "Sources/TunnelAgent/Good.swift", text: line)) == [])
    }

    @Test(arguments: ["public struct Name {", "    public init(_ text: String) {}", "@frozen\npublic enum Kind {"])
    func `a public declaration without a word about it is found`(text: String) {
        #expect(HouseRules.undocumentedPublic(in: SourceFile(path: "Sources/TunnelDomain/Bad.swift", text: text)).count == 1)
        let told = SourceFile(path: "Sources/TunnelDomain/Good.swift", text: "/// What it is.\n\(text)")
        #expect(HouseRules.undocumentedPublic(in: told) == [])
    }

    @Test(arguments: ["final class ConnectionManager {", "enum StringUtils {", "package struct TestHelper: Sendable {"])
    func `a type named for nothing is found`(line: String) {
        #expect(HouseRules.emptyNames(in: SourceFile(path: "Sources/TLS/Bad.swift", text: line)).count == 1)
    }
}
