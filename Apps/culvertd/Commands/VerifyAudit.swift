import FileStorage
import TLS
import TunnelService
import TunnelWire

/// `culvertd audit verify`: tells whether the audit trail is what the service has written.
struct VerifyAudit {
    /// Findings that are printed; a trail that was rewritten has as many as it has lines.
    private static let printedMax = 100

    private let path: String
    private let noted: [AuditPlace]

    init(flags: Flags, environment: [String: String]) throws(UsageError) {
        path = try flags.dataDirectory(in: environment)
        var noted: [AuditPlace] = []
        for text in flags.values["--noted"] ?? [] {
            guard let place = AuditPlace(text) else {
                throw UsageError("--noted is “\(text)”; it must be what a verification has printed, such as 17:5e88…")
            }
            noted.append(place)
        }
        self.noted = noted
    }

    func run() throws {
        let archive = try AuditArchive(dataDirectory: path)
        let sealer = OpenSSLSealer(key: try ServiceFiles.readSealingKey(ofDirectory: path))
        var verification = AuditVerification(hasher: OpenSSLHasher(), noted: noted)
        try archive.forEachLine { verification.take($0) }
        verification.finish(sealedHead: try archive.sealedHead(), sealer: sealer)
        guard verification.findings.isEmpty else { throw try complaint(verification.findings) }
        let last = verification.last
        try Output.result(
            "\(verification.lineCount) lines, all as they were written. The newest is \(last.sequence):\(Hex.encode(last.hash))"
        )
    }

    private func complaint(_ findings: [AuditFinding]) throws -> Complaint {
        for finding in findings.prefix(Self.printedMax) { try Output.result(finding.sentence) }
        if findings.count > Self.printedMax { try Output.result("and \(findings.count - Self.printedMax) more") }
        return Complaint(
            "the audit trail in \(path) is not what the service has written, at \(findings.count) "
                + (findings.count == 1 ? "place" : "places")
                + "; keep a copy of the directory as it is, and find out who could write to it")
    }
}

extension AuditPlace {
    /// Reads `SEQUENCE:HASH`, the hash in hexadecimal.
    fileprivate init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let sequence = Int64(parts[0]), sequence > 0, let hash = Hex.decode(parts[1]), hash.count == 32
        else { return nil }
        self.init(sequence: sequence, hash: hash)
    }
}
