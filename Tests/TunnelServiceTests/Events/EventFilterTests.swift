import Testing
import TunnelService

struct EventFilterTests {
    @Test(arguments: [
        (["*"], EventType.allCases.count), (["tunnel.*"], 8), (["cert.signed"], 1), (["cert.signed", "cert.*"], 2),
        (["cert.signed", "cert.signed"], 1), ([], 0),
    ])
    func `patterns take the types that they match`(patterns: [String], count: Int) throws {
        let filter = try EventFilter(patterns)
        #expect(EventType.allCases.filter(filter.takes).count == count)
        #expect(filter.patterns == patterns)
    }

    @Test(arguments: [
        "", "tunnel", "tunnel.", ".*", "**", "*.created", "Tunnel.created", "tunnel.created ", "tunnel.c*", "no.such",
    ])
    func `a pattern without a match is named`(pattern: String) {
        #expect(throws: UnknownEventType(pattern: pattern)) { try EventFilter(["tunnel.created", pattern]) }
    }
}
