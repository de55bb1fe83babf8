internal import Synchronization
package import TunnelDomain

/// Gives every host of a zone its certificate, made when it is first needed and renewed in time.
///
/// In a zone of several labels one certificate with `zone` and `*.zone` serves all. Directly under a single label, such as
/// `localhost`, OpenSSL and curl refuse a wildcard, so there each host gets its own; ask only for hosts that are known.
package final class ZoneCertificates: Sendable {
    package static let hostCountMaxDefault = 10_000

    /// The name is not the zone and not one label under it.
    package struct ForeignHost: Error, Hashable, CustomStringConvertible {
        package var host: String
        package var zone: String

        package init(host: String, zone: String) {
            self.host = host
            self.zone = zone
        }

        package var description: String { "“\(host)” is not a host of the zone \(zone)" }
    }

    fileprivate struct Entry {
        var certificate: SignedCertificate
        var lastUse: UInt64
    }

    fileprivate struct Shelf {
        var entries: [String: Entry] = [:]
        var useCount: UInt64 = 0
    }

    package let zone: String
    private let authority: CertificateAuthority
    private let hostCountMax: Int
    private let shelf = Mutex(Shelf())

    package init(zone: String, authority: CertificateAuthority, hostCountMax: Int = hostCountMaxDefault) {
        precondition(hostCountMax > 0, "configuration parsing already refused this")
        self.zone = zone
        self.authority = authority
        self.hostCountMax = hostCountMax
    }

    /// Whether each host has a certificate of its own.
    package var isPerHost: Bool { !zone.contains(".") }

    /// The certificate to serve the host with now, the same one until two thirds of its life are over.
    ///
    /// The host is lower case and without a port. Takes some 0.2 ms when a certificate has to be made.
    package func certificate(for host: String, at now: Timestamp) throws -> SignedCertificate {
        guard belongs(host) else { throw ForeignHost(host: host, zone: zone) }
        let subject = isPerHost ? host : zone
        if let kept = shelf.withLock({ $0.fresh(subject, at: now) }) { return kept }
        // Made outside the lock: two loops may both make one, and the later one is then used by both.
        let made = try authority.issueServerCertificate(hosts: isPerHost ? [host] : [zone, "*.\(zone)"], at: now)
        shelf.withLock { $0.keep(made, for: subject, hostCountMax: hostCountMax) }
        return made
    }

    private func belongs(_ host: String) -> Bool {
        if host == zone { return true }
        guard host.hasSuffix(".\(zone)") else { return false }
        let label = host.dropLast(zone.count + 1)
        return !label.isEmpty && !label.contains(".")
    }

    /// How many certificates are kept at this moment.
    package var keptCount: Int { shelf.withLock { $0.entries.count } }
}

extension ZoneCertificates.Shelf {
    /// The kept certificate, unless it is due for renewal.
    mutating func fresh(_ subject: String, at now: Timestamp) -> SignedCertificate? {
        guard let entry = entries[subject], !entry.certificate.isDueForRenewal(at: now) else { return nil }
        useCount += 1
        entries[subject]?.lastUse = useCount
        return entry.certificate
    }

    mutating func keep(_ certificate: SignedCertificate, for subject: String, hostCountMax: Int) {
        if entries[subject] == nil, entries.count >= hostCountMax { dropLeastUsed() }
        useCount += 1
        entries[subject] = .init(certificate: certificate, lastUse: useCount)
    }

    /// Drops the tenth that was not asked for the longest, so that a full shelf is not sorted at every addition.
    private mutating func dropLeastUsed() {
        let oldestFirst = entries.sorted { $0.value.lastUse < $1.value.lastUse }
        for (subject, _) in oldestFirst.prefix(max(1, entries.count / 10)) { entries[subject] = nil }
    }
}

extension SignedCertificate {
    /// Whether two thirds of its life are over, or it is not valid yet because the clock was set back.
    package func isDueForRenewal(at now: Timestamp) -> Bool {
        now < notBefore || now >= notBefore + (notAfter - notBefore) * 2 / 3
    }
}
