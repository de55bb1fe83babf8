internal import TunnelClient
internal import TunnelProfile

/// The key of a passthrough tunnel's host and its certificate, as they are kept on this machine.
struct HostFiles: Sendable, Hashable {
    let keyPath: String
    let chainPath: String

    /// The key that is there, or a new one (EC P-256), which is put there first: a certificate without its key would be worth
    /// nothing.
    func keyPEM() throws(Complaint) -> String {
        if let bytes = try complaining(PrivateFile.read(keyPath)) {
            let text = String(decoding: bytes, as: UTF8.self)
            do { _ = try HostKey(pem: text) } catch {
                throw Complaint(
                    "\(keyPath) cannot be used as the key: \(Printable.text(error.reason))",
                    advice: "Move it away, and a new key is made; the certificate is then signed anew.")
            }
            return text
        }
        do {
            let pem = try HostKey().pem
            try complaining(PrivateFile.write(Array(pem.utf8), to: keyPath))
            return pem
        } catch let complaint as Complaint {
            throw complaint
        } catch {
            throw Complaint("no key could be made: \(Printable.text("\(error)"))")
        }
    }

    /// The certificate of the last time with its chain, or nil.
    func chainPEM() throws(Complaint) -> String? {
        try complaining(PrivateFile.read(chainPath)).map { String(decoding: $0, as: UTF8.self) }
    }

    func keep(chainPEM: String) throws(Complaint) {
        try complaining(PrivateFile.write(Array(chainPEM.utf8), to: chainPath))
    }
}

extension TunnelMemory {
    /// Where a tunnel's key and certificate are, or will be, kept; nil for a name that no tunnel can have.
    func hostFiles(ofTunnel name: String) -> HostFiles? {
        guard let path = path(ofTunnel: name) else { return nil }
        let stem = path.dropLast(".json".count)
        return HostFiles(keyPath: "\(stem).key", chainPath: "\(stem).crt")
    }
}
