import Testing

@testable import TunnelWire

struct ForwardPathTests {
    @Test func `paths are judged as the fixture says`() throws {
        let rows = try WireFixtures.text("Paths/verdicts.tsv").split(separator: "\n")
        #expect(rows.count > 5000)
        for row in rows {
            let (verdict, path) = (row.prefix { $0 != "\t" }, row.drop { $0 != "\t" }.dropFirst())
            #expect(ForwardPath.isSafe(String(path)) == (verdict == "safe"), "\(path)")
        }
    }

    @Test(arguments: ["/..", "/a/../b", "/%2e%2E/", "/.%2e", "/a%2Fb", "/a%5cb", "/%252e", "/a\\b", "/%00", "/%7f", "/./"])
    func `a path that climbs or hides is refused`(path: String) {
        #expect(!ForwardPath.isSafe(path))
    }

    @Test(arguments: ["/", "*", "/a.b/...", "/%C3%A9", "/?x=../..", "/a?%2e%2e%2f", "/100%25", "/%zz", "/a;b=c", "//a", "/%"])
    func `a harmless path passes`(path: String) {
        #expect(ForwardPath.isSafe(path))
    }
}
