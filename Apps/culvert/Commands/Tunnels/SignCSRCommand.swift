internal import FoundationEssentials
internal import TunnelClient
internal import TunnelProfile

/// `culvert sign-csr`: a certificate for a passthrough tunnel, from a request that is given or made here.
struct SignCSRCommand {
    let session: CommandSession

    /// A request with every usual attribute and an RSA key of 8,192 bits is a third of this.
    private static let requestByteCountMax = 16 * 1024

    func run() async throws(Complaint) {
        let words = session.words
        let given = try words.value("--csr-file").map { file throws(Complaint) in try Self.request(in: file) }
        let folder = try words.value("--out").map { folder throws(Complaint) in try Self.folder(folder) }
        let tunnel = try await session.tunnel(named: session.argument)
        if let given { return try await finish(sign(given, for: tunnel), tunnel, folder: folder, keyFile: nil) }
        guard let host = tunnel.publicHost, !host.contains("/") else {
            throw Complaint("the server does not say under which host the tunnel is public")
        }
        let folder2 = folder ?? "."
        let keyFile = "\(folder2)/\(host).key"
        let request = try Self.request(byKeyIn: keyFile, for: host)
        try await finish(sign(request, for: tunnel), tunnel, folder: folder2, keyFile: keyFile)
    }

    private func sign(_ request: String, for tunnel: TunnelRecord) async throws(Complaint) -> SignedCertificate {
        try await session.attempt("have a certificate signed for \(tunnel.tunnelName)") { client throws(ClientError) in
            try await client.signCSR(tunnelID: tunnel.id, csrPEM: request)
        }
    }

    private func finish(
        _ signed: SignedCertificate, _ tunnel: TunnelRecord, folder: String?, keyFile: String?
    ) throws(Complaint) {
        let file = folder.map { "\($0)/\(tunnel.publicHost ?? tunnel.tunnelName).crt" }
        if let file {
            // A certificate is no secret, but its place is beside the key's.
            try DraftFile.make(at: file).keep(Array((signed.certPEM + signed.chainPEM).utf8))
        }
        guard !session.console.isJSON else {
            return session.console.printJSON(Report(signed: signed, certificateFile: file, keyFile: keyFile))
        }
        guard let file else { return session.console.print(signed.certPEM + signed.chainPEM, terminator: "") }
        session.console.print(
            TextTable.details([
                ("certificate", file), ("key", keyFile), ("fingerprint", signed.certFingerprintSHA256),
                ("valid until", TunnelText.time(signed.certExpiresAt)),
            ]))
        session.console.note("The certificate file holds the whole chain.")
    }

    private struct Report: Encodable {
        var signed: SignedCertificate
        var certificateFile: String?
        var keyFile: String?

        private enum CodingKeys: String, CodingKey {
            case certificateFile = "certificate_file"
            case keyFile = "key_file"
        }

        func encode(to encoder: any Encoder) throws {
            try signed.encode(to: encoder)
            var members = encoder.container(keyedBy: CodingKeys.self)
            try members.encodeIfPresent(certificateFile, forKey: .certificateFile)
            try members.encodeIfPresent(keyFile, forKey: .keyFile)
        }
    }
}

// MARK: - Requests

extension SignCSRCommand {
    private static func request(in file: String) throws(Complaint) -> String {
        let bytes = try complaining(PrivateFile.readForeign(file))
        guard bytes.count <= requestByteCountMax, let text = String(validating: bytes, as: UTF8.self) else {
            throw Complaint(
                "\(Printable.text(file)) is not a certificate signing request in PEM form",
                advice: "Make one: openssl req -new -key KEY -subj / -addext subjectAltName=DNS:HOST -out FILE",
                exitCode: .usage)
        }
        return text
    }

    /// A request by the key that is in the file, or by a fresh one that is put there first: a certificate without its key
    /// would be worth nothing.
    private static func request(byKeyIn file: String, for host: String) throws(Complaint) -> String {
        do {
            if let bytes = try complaining(PrivateFile.read(file)) {
                return try HostKey(pem: String(decoding: bytes, as: UTF8.self)).signingRequest(forHost: host)
            }
            let key = try HostKey()
            try DraftFile.make(at: file).keep(Array(key.pem.utf8))
            return try key.signingRequest(forHost: host)
        } catch let complaint as Complaint {
            throw complaint
        } catch {
            throw Complaint(
                "\(Printable.text(file)) cannot be used as the key: \(Printable.text("\(error)"))",
                advice: "Move it away, and a new key is made; or give a request of your own with --csr-file.")
        }
    }

    /// Without a slash at its end.
    private static func folder(_ text: String) throws(Complaint) -> String {
        var folder = text
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        return folder
    }
}
