internal import Synchronization
package import TLS
package import TunnelDomain
package import TunnelService

/// The certificates that the edge shows, parsed and ready for handshakes.
package final class EdgeIdentities: Sendable {
    private struct Entry {
        var fingerprint: String
        var identity: TLSIdentity
    }

    private let zone: Zone
    private let certificates: ZoneCertificates
    private let directory: TunnelDirectory
    private let clock: any WallClock
    private let entries = Mutex<[String: Entry]>([:])
    private let hostCountMax: Int

    /// - Parameter hostCountMax: parsed certificates that are kept; past it all are parsed anew when next asked for.
    package init(
        zone: Zone, certificates: ZoneCertificates, directory: TunnelDirectory, clock: any WallClock, hostCountMax: Int
    ) {
        self.zone = zone
        self.certificates = certificates
        self.directory = directory
        self.clock = clock
        self.hostCountMax = hostCountMax
    }

    /// The identity for a server name, or nil when the name is not of this zone: the handshake is then refused.
    ///
    /// Without a name the zone's own is shown.
    package func identity(for serverName: String?) -> TLSIdentity? {
        guard let host = host(for: serverName), let signed = try? certificates.certificate(for: host, at: clock.now) else {
            return nil
        }
        if let kept = entries.withLock({ $0[host] }), kept.fingerprint == signed.fingerprint { return kept.identity }
        guard let keyPEM = signed.keyPEM,
            let identity = try? TLSIdentity(chainPEM: signed.certificatePEM + signed.chainPEM, keyPEM: keyPEM)
        else { return nil }
        entries.withLock { entries in
            if entries.count >= hostCountMax { entries.removeAll() }
            entries[host] = Entry(fingerprint: signed.fingerprint, identity: identity)
        }
        return identity
    }

    private func host(for serverName: String?) -> String? {
        guard let serverName else { return zone.text }
        return switch HostRole(of: serverName, in: zone) {
        case .zone: zone.text
        // A certificate of its own only for a tunnel that there is: strangers do not make the authority sign. For any other
        // name the page that says so comes with the zone's certificate, which has every name but in the zone localhost.
        case .tunnel(let name): host(forTunnelNamed: name)
        case .unknownName: zone.text
        case .foreign: nil
        }
    }

    /// The certificate of a passthrough tunnel's name is its agent's: nothing that slipped by as another is shown one here.
    private func host(forTunnelNamed name: TunnelName) -> String? {
        switch directory.tunnel(named: name)?.tlsMode {
        case .edge: PublicHost(name: name, zone: zone).text
        case .passthrough: nil
        case nil: zone.text
        }
    }
}
