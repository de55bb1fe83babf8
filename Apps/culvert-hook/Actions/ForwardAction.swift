import FileStorage
import HTTPTransport
import LinuxIO
import TLS
import TunnelDomain
import TunnelService
import TunnelWire

/// Hands the event on to an HTTP server, signed anew.
struct ForwardAction: HookAction {
    let config: ForwardConfig
    let timeout: Duration
    let client: HTTPClient
    let clock: any WallClock

    func perform(_ job: HookJob, stop: HookStop) async -> ActionOutcome {
        await stop.outcome(within: timeout) { await forward(job) }
    }

    private func forward(_ job: HookJob) async -> ActionOutcome {
        let addresses: [SocketAddress]
        switch await resolve() {
        case .success(let found): addresses = found
        case .failure(let failure): return failure.outcome
        }
        let head: HTTPRequestHead
        do { head = try self.head(for: job) } catch {
            return ActionOutcome(verdict: .finalFailure, detail: "it cannot be signed: \(error)")
        }
        var last = ActionOutcome(verdict: .failure, detail: "it has no address")
        for address in addresses {
            let endpoint = HTTPEndpoint(address: address, host: config.url.host, isTLS: config.url.isTLS)
            do {
                let response = try await client.send(
                    head, body: job.event.body, to: endpoint, timeoutSeconds: Int(timeout.secondsRoundedUp),
                    keeping: .first(byteCount: config.outputByteCountMax))
                return outcome(of: response)
            } catch HTTPClientError.unreachable(let error) {
                last = ActionOutcome(verdict: .failure, detail: "\(error)")
            } catch {
                return ActionOutcome(verdict: .failure, detail: "\(error)")
            }
        }
        return last
    }

    private func head(for job: HookJob) throws -> HTTPRequestHead {
        var head = HTTPRequestHead(
            method: "POST", target: config.url.target, authority: config.url.authority,
            scheme: config.url.isTLS ? "https" : "http")
        var fields: [WebhookField] = []
        let arrived = StoredFields.read(job.event.fields)
        for name in ["content-type"] + config.fields { fields += arrived.filter { $0.name == name } }
        fields += config.fixedFields.map { WebhookField($0.name, $0.value) }
        let id = job.event.deliveryID ?? "hook-\(job.event.id)"
        fields.append(WebhookField("x-hook-event-id", "\(job.event.id)"))
        if let scheme = config.signing {
            let request = WebhookRequest(
                method: "POST", target: config.url.target, origin: config.url.origin, fields: fields,
                body: job.event.body, address: "", receivedAt: clock.now)
            let signature = try WebhookSigner(cryptography: OpenSSLWebhookCryptography()).fields(
                for: request, by: scheme, id: id)
            fields.removeAll { field in signature.contains { $0.name == field.name } }
            fields += signature
        }
        for field in fields { head.fields.append(name: field.name, value: field.value) }
        head.fields.append("user-agent", "culvert-hook/\(Version.text)")
        return head
    }

    /// 2xx is done; a busy or broken receiver may be asked again; what it refuses it will refuse again.
    private func outcome(of response: BufferedResponse) -> ActionOutcome {
        let status = response.head.status
        let verdict: ActionOutcome.Verdict =
            switch status {
            case 200...299: .success
            case 408, 425, 429, 500...599: .failure
            default: .finalFailure
            }
        let cut = response.isBodyCut ? ", of whose answer the first \(config.outputByteCountMax) bytes are kept" : ""
        return ActionOutcome(
            verdict: verdict, detail: "HTTP \(status)\(cut)", output: response.body,
            contentType: response.head.fields.first(.contentType) ?? "application/octet-stream")
    }

    private struct Failure: Error { var outcome: ActionOutcome }

    /// Every address of the name must be allowed: the connection goes to what was checked, and to nothing else.
    private func resolve() async -> Result<[SocketAddress], Failure> {
        let url = config.url
        let found: [SocketAddress]
        if let ip = SocketAddress.IP(v4: url.host) ?? SocketAddress.IP(v6: url.host) {
            found = [SocketAddress(ip: ip, port: url.port)]
        } else {
            switch await AddressResolver.resolveElsewhere(url.host, port: url.port) {
            case .success(let addresses): found = addresses
            case .failure(let error): return .failure(Failure(outcome: ActionOutcome(verdict: .failure, detail: "\(error)")))
            }
        }
        let policy = OutgoingAddressPolicy(allowsPrivate: config.allowsPrivate)
        if let forbidden = found.first(where: { !policy.allows("\($0.ip)") }) {
            let detail = "\(url.host) is \(forbidden.ip), which is no public address; “allowPrivate” would allow it"
            return .failure(Failure(outcome: ActionOutcome(verdict: .finalFailure, detail: detail)))
        }
        guard !found.isEmpty else {
            return .failure(Failure(outcome: ActionOutcome(verdict: .failure, detail: "\(url.host) has no address")))
        }
        return .success(found)
    }
}
