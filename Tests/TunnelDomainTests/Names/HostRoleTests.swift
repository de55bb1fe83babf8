import TestSupport
import Testing
import TunnelDomain

struct HostRoleTests {
    static let zone = "tunnels.example.com"

    @Test(
        arguments: [
            ("tunnels.example.com", .zone), ("TUNNELS.example.COM", .zone), ("tunnels.example.com.", .zone),
            ("my-agent.tunnels.example.com", .name("my-agent")), ("MY-Agent.Tunnels.Example.Com.", .name("my-agent")),
            ("ab.tunnels.example.com", .unknown), ("a.b.tunnels.example.com", .unknown), ("-ab.tunnels.example.com", .unknown),
            (".tunnels.example.com", .unknown), ("a--b.tunnels.example.com", .unknown), ("*.tunnels.example.com", .unknown),
            ("", .foreign), (".", .foreign), ("example.com", .foreign), ("xtunnels.example.com", .foreign),
            ("my-agent-tunnels.example.com", .foreign), ("tunnels.example.com..", .foreign),
            ("tunnels.example.com:443", .foreign),
            ("my-agent.tunnels.example.com.evil.test", .foreign), ("tunnels.example.co", .foreign),
        ] as [(String, Expected)])
    func `a host has one role`(host: String, expected: Expected) throws {
        let role = HostRole(of: host, in: try Zone(validating: Self.zone))
        #expect(role == (try expected.role))
        #expect(role == HostRole(of: Array(host.utf8).span, in: try Zone(validating: Self.zone)))
    }

    @Test func `a NUL makes no name`() throws {
        #expect(HostRole(of: "agent\u{0}.tunnels.example.com", in: try Zone(validating: Self.zone)) == .unknownName)
    }

    enum Expected: Sendable {
        case zone
        case name(String)
        case unknown, foreign

        var role: HostRole {
            get throws {
                switch self {
                case .zone: .zone
                case .name(let text): .tunnel(try TunnelName(validating: text))
                case .unknown: .unknownName
                case .foreign: .foreign
                }
            }
        }
    }

    @Test func `a public host names its tunnel, in any case and with a final dot`() throws {
        try checkProperty { sample in
            let host = PublicHost(name: sample.tunnelName(), zone: sample.zone())
            let text = String(host.text.map { sample.bool() ? Character($0.uppercased()) : $0 }) + (sample.bool() ? "." : "")
            sample.note(text)
            try sample.check(HostRole(of: text, in: host.zone), is: .tunnel(host.name))
        }
    }

    @Test func `any text has the role that the reference gives it`() throws {
        try checkProperty { sample in
            let zone = sample.zone()
            // Most texts end like the zone, or nothing interesting would happen.
            let tail = sample.chance(oneIn: 4) ? sample.text(of: "abcz.x", count: 0...8) : zone.text
            let host = sample.text(of: "abcz0.-A", count: 0...9) + tail + (sample.chance(oneIn: 5) ? "." : "")
            sample.note("\(host) in \(zone)")
            try sample.check(HostRole(of: host, in: zone), is: roleByReference(host, zone))
        }
    }

    /// The role by another method: cut into labels and compare them from the end.
    private func roleByReference(_ host: String, _ zone: Zone) -> HostRole {
        var labels = host.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if labels.last == "" && !host.isEmpty { labels.removeLast() }
        let zoneLabels = zone.text.split(separator: ".").map(String.init)
        guard labels.count >= zoneLabels.count, Array(labels.suffix(zoneLabels.count)) == zoneLabels else { return .foreign }
        let rest = labels.dropLast(zoneLabels.count)
        if rest.isEmpty { return .zone }
        guard rest.count == 1, let label = rest.first, isNameByReference(label), let name = try? TunnelName(validating: label)
        else { return .unknownName }
        return .tunnel(name)
    }
}
