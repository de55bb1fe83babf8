package import TunnelDomain
package import TunnelService
internal import Synchronization

/// Bytes that look random and are the same in every run.
package final class MemoryRandomness: Randomness {
    private let state: Mutex<UInt64>

    package init(seed: UInt64 = 1) { state = Mutex(seed) }

    package func bytes(_ count: Int) -> [UInt8] {
        state.withLock { state in (0..<count).map { _ in Self.nextByte(&state) } }
    }

    private static func nextByte(_ state: inout UInt64) -> UInt8 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}

/// Thirty-two bytes that depend on every byte of the input: enough to tell texts apart, and no cryptography.
package struct MemoryHasher: SecretHasher {
    package init() {}

    package func sha256(_ bytes: [UInt8]) -> [UInt8] {
        (0..<4).flatMap { (lane: UInt64) in
            var state: UInt64 = 0xCBF2_9CE4_8422_2325 ^ lane &* 0x9E37_79B9_7F4A_7C15
            for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 ^ state >> 29 }
            return (0..<8).map { UInt8(truncatingIfNeeded: state >> (8 * $0)) }
        }
    }
}

/// Hides bytes well enough that a test can look for what must not lie in the open; notices every change.
package struct MemorySealer: Sealer {
    private let key: UInt8
    private let hasher = MemoryHasher()

    package init(key: UInt8 = 0xA5) { self.key = key }

    package func seal(_ plaintext: [UInt8], context: [UInt8]) throws -> [UInt8] {
        tag(plaintext, context) + plaintext.map { $0 ^ key }
    }

    package func open(_ sealed: [UInt8], context: [UInt8]) -> [UInt8]? {
        guard sealed.count >= 32 else { return nil }
        let plaintext = sealed.dropFirst(32).map { $0 ^ key }
        return tag(plaintext, context) == Array(sealed.prefix(32)) ? plaintext : nil
    }

    private func tag(_ plaintext: [UInt8], _ context: [UInt8]) -> [UInt8] { hasher.sha256([key] + context + [0] + plaintext) }
}

/// Remembers every change that it was told of.
package final class MemoryEvents: TunnelEvents {
    package struct Entry: Sendable, Hashable {
        package var tunnel: Tunnel
        package var change: TunnelChange
    }

    private let entries = Mutex<[Entry]>([])

    private let keys = Mutex<[UUIDValue]>([])

    package init() {}

    /// The keys that were said to count no more.
    package var endedKeys: [UUIDValue] { keys.withLock { $0 } }
    package var all: [Entry] { entries.withLock { $0 } }
    package var changes: [TunnelChange] { all.map(\.change) }

    package func tunnelChanged(_ tunnel: Tunnel, _ change: TunnelChange) async {
        entries.withLock { $0.append(Entry(tunnel: tunnel, change: change)) }
    }

    package func keyEnded(_ id: UUIDValue) async { keys.withLock { $0.append(id) } }
}

/// Says which tunnels are connected as a test set it.
package final class MemoryPresence: ConnectionPresence {
    private let connected = Mutex<Set<TunnelID>>([])

    package init() {}

    package func connectedAgentCount(of id: TunnelID) -> Int { connected.withLock { $0.contains(id) ? 1 : 0 } }
    package func connect(_ id: TunnelID) { connected.withLock { _ = $0.insert(id) } }
    package func disconnect(_ id: TunnelID) { connected.withLock { _ = $0.remove(id) } }
}

/// Answers every request with what a test has put into it.
package final class MemoryIssuer: CertificateIssuer {
    private let answer: Mutex<Result<TunnelCertificate, CertificateIssuerError>>
    private let requests = Mutex<[String]>([])
    private let beforeAnswer = Mutex<(@Sendable () async -> Void)?>(nil)

    package init(_ answer: Result<TunnelCertificate, CertificateIssuerError>) { self.answer = Mutex(answer) }

    package var requestedHosts: [String] { requests.withLock { $0 } }
    package func answer(_ new: Result<TunnelCertificate, CertificateIssuerError>) { answer.withLock { $0 = new } }
    package func beforeAnswer(_ wait: (@Sendable () async -> Void)?) { beforeAnswer.withLock { $0 = wait } }

    package func issue(
        csrPEM: String, for host: PublicHost, at now: Timestamp
    ) async throws(CertificateIssuerError) -> TunnelCertificate {
        requests.withLock { $0.append(host.text) }
        if let wait = beforeAnswer.withLock({ $0 }) { await wait() }
        return try answer.withLock { $0 }.get()
    }
}
