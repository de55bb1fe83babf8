import Testing

/// The shape of the tree, and the promise that nothing is fetched to build it.
struct TreeTests {
    static let required: Set<String> = [
        "Apps", "Docs", "Fixtures", "Package.swift", "README.md", "Sources", "Tests", "LICENSE",
    ]

    static func strangers(among names: [String]) -> [String] { names.filter { !required.contains($0) } }
    static func missing(among names: [String]) -> [String] { required.subtracting(names).sorted() }

    static func packageDependencies(in manifest: SourceFile) -> [Finding] {
        manifest.lines.enumerated().compactMap { index, line in
            guard Code.part(of: line).contains(".package(") || Code.part(of: line).contains("binaryTarget") else { return nil }
            return Finding(
                path: manifest.path, line: index + 1, advice: "no package dependency: the toolchain and Debian have it all")
        }
    }

    /// Relative links of a page that lead nowhere.
    static func deadLinks(in page: SourceFile, exists: (String) -> Bool) -> [Finding] {
        let folder = page.path.split(separator: "/").dropLast().joined(separator: "/")
        return page.lines.enumerated().flatMap { index, line in
            line.matches(of: /\]\(([^)#:]+)(#[^)]*)?\)/).compactMap { match in
                let target = folder.isEmpty ? String(match.1) : "\(folder)/\(match.1)"
                guard !exists(target) else { return nil }
                return Finding(path: page.path, line: index + 1, advice: "\(match.1) is not there: mend the link")
            }
        }
    }

    @Test func `the top level holds what it must and nothing else`() throws {
        let names = try Repository.topLevelNames()
        #expect(Self.strangers(among: names) == [], "move it into Sources, Tests, Apps, Docs or Fixtures")
        #expect(Self.missing(among: names) == [], "the layout in Docs/Architecture.md is fixed")
    }

    @Test func `the package depends on no other`() throws {
        expectNone(try Self.packageDependencies(in: Repository.file("Package.swift")))
    }

    @Test func `the documents link to pages that exist`() throws {
        let pages = try ["README.md"].map(Repository.file) + Repository.pages(under: "Docs")
        let dead = pages.flatMap { Self.deadLinks(in: $0, exists: Repository.exists) }
        expectNone(dead)
    }

    @Test func `a stranger and a gap at the top level are found`() {
        #expect(Self.strangers(among: ["Sources", "Makefile"]) == ["Makefile"])
        #expect(Self.missing(among: Self.required.filter { $0 != "Docs" }) == ["Docs"])
    }

    @Test(arguments: [
        "  .package(url: \"https://example.org/x\", from: \"1.0.0\"),", ".binaryTarget(name: \"x\", path: \"y\")",
    ])
    func `a package dependency is found`(line: String) {
        #expect(Self.packageDependencies(in: SourceFile(path: "Package.swift", text: line)).count == 1)
    }

    @Test func `a dead link is found`() {
        let page = SourceFile(path: "Docs/Page.md", text: "See [a](Here.md), [b](Gone.md#part) and [c](https://example.org).")
        #expect(Self.deadLinks(in: page) { $0 == "Docs/Here.md" }.map(\.line) == [1])
    }
}
