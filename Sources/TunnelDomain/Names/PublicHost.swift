/// The host under which the world reaches a tunnel: its name in front of the zone.
public struct PublicHost: Hashable, Sendable, CustomStringConvertible {
    public let name: TunnelName
    public let zone: Zone

    /// Puts a name in front of a zone; every name fits in front of every zone.
    public init(name: TunnelName, zone: Zone) {
        self.name = name
        self.zone = zone
    }

    /// The host as it stands in URLs and certificates, such as `my-agent.localhost`.
    public var text: String { "\(name.text).\(zone.text)" }
    public var description: String { text }
}

/// What a `Host`, `:authority` or server name means in a zone.
public enum HostRole: Hashable, Sendable {
    /// The zone itself: the API and the agents' connections.
    case zone
    /// A name that a tunnel could have; whether it exists is for the routing table to say.
    case tunnel(TunnelName)
    /// Under the zone, but nothing that a tunnel could be called.
    case unknownName
    /// Not of this zone.
    case foreign

    /// Tells a host's role, whatever its case and with or without one final dot; the caller has removed a port.
    public init(of host: String, in zone: Zone) {
        self.init(of: Array(host.utf8).span, in: zone)
    }

    /// Tells the role of a host given as bytes.
    public init(of host: Span<UInt8>, in zone: Zone) {
        var count = host.count
        if count > 0, host[count - 1] == ASCII.dot { count -= 1 }
        let zoneCount = zone.text.utf8.count
        guard count >= zoneCount, Self.host(host, endsAt: count, with: zone) else {
            self = .foreign
            return
        }
        let labelCount = count - zoneCount - 1
        if labelCount == -1 {
            self = .zone
        } else if host[labelCount] != ASCII.dot {
            self = .foreign
        } else {
            self = Self.role(ofName: host.extracting(first: labelCount))
        }
    }

    private static func host(_ host: Span<UInt8>, endsAt end: Int, with zone: Zone) -> Bool {
        var index = end - zone.text.utf8.count
        for byte in zone.text.utf8 {
            if ASCII.lowercased(host[index]) != byte { return false }
            index += 1
        }
        return true
    }

    private static func role(ofName label: Span<UInt8>) -> HostRole {
        guard label.count <= TunnelName.byteCountMax else { return .unknownName }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(label.count)
        for index in label.indices { bytes.append(ASCII.lowercased(label[index])) }
        guard let name = try? TunnelName(validating: String(decoding: bytes, as: UTF8.self)) else { return .unknownName }
        return .tunnel(name)
    }
}
