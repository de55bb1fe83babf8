internal import Synchronization
internal import TunnelAgent
internal import TunnelClient
internal import TunnelProfile

/// Has the server sign requests, keeps what it signed, and remembers why it did not.
final class CertificateSigner: Sendable {
    private let client: CulvertClient
    private let server: ServerURL
    private let tunnel: TunnelRecord
    private let files: HostFiles
    private let console: Console
    private let refusal = Mutex<Complaint?>(nil)

    init(client: CulvertClient, server: ServerURL, tunnel: TunnelRecord, files: HostFiles, console: Console) {
        self.client = client
        self.server = server
        self.tunnel = tunnel
        self.files = files
        self.console = console
    }

    /// What kept an agent from its certificate; nil when it ended for another reason.
    func complaint(for stop: AgentStop) -> Complaint? {
        guard case .misconfigured = stop else { return nil }
        return refusal.withLock { $0 }
    }

    func sign(_ request: String) async throws -> String {
        do throws(ClientError) {
            let signed = try await client.signCSR(tunnelID: tunnel.id, csrPEM: request)
            let chain = signed.certPEM + signed.chainPEM
            // A certificate that cannot be kept is good all the same; the next start has another one signed.
            do throws(Complaint) { try files.keep(chainPEM: chain) } catch { console.complain(error) }
            return chain
        } catch {
            let name = Printable.text(tunnel.tunnelName)
            let complaint = Complaint(error, act: "have a certificate signed for \(name)", server: server)
            refusal.withLock { $0 = complaint }
            throw SigningFailure(description: complaint.message)
        }
    }

    private struct SigningFailure: Error, CustomStringConvertible { var description: String }
}
