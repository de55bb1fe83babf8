internal import HTTPTransport
package import LinuxIO
package import TLS
internal import TunnelDomain
package import TunnelService
package import TunnelWire

/// Calls receivers of webhooks over HTTP/1.1, one connection each.
///
/// The name is resolved once, and the connection goes to an address that was checked: a name that points elsewhere a moment
/// later (DNS rebinding) leads nowhere. No redirect is followed, and nothing is read behind the status line and fields.
package final class WebhookCaller: WebhookTransport {
    /// A receiver's answer may have a head of no more than the client's own bounds; its body is not read.
    private let client: HTTPClient
    private let policy: OutgoingAddressPolicy
    private let timeoutSeconds: Int
    private let resolve: Resolve

    /// Every address of a name.
    package typealias Resolve =
        @Sendable (_ host: String, _ port: UInt16) async -> Result<[SocketAddress], AddressResolver.Failure>

    /// - Parameter timeoutSeconds: How long a call may take once there is a connection, and how long all attempts to make one
    ///   may take together; a look-up of the name has its own limit.
    package init(
        eventLoop: EventLoop, trust: TLSContext.Trust = .system, policy: OutgoingAddressPolicy, timeoutSeconds: Int,
        resolve: @escaping Resolve = { await AddressResolver.resolveElsewhere($0, port: $1) }
    ) throws(TLSError) {
        client = try HTTPClient(eventLoop: eventLoop, trust: trust)
        self.policy = policy
        self.timeoutSeconds = timeoutSeconds
        self.resolve = resolve
    }

    package func post(_ body: [UInt8], fields: [WebhookField], to url: WebhookURL) async -> WebhookAnswer {
        switch await resolve(url.host, url.port) {
        case .failure(let failure): return .failed("\(failure)")
        case .success(let addresses):
            // One forbidden address among several is enough to be suspicious of the name.
            guard !addresses.isEmpty, addresses.allSatisfy({ policy.allows("\($0.ip)") }) else {
                return .failed("“\(url.host)” has an address that is not of the public internet, which is not called")
            }
            return await post(body, fields, url, addresses.prefix(WebhookCaller.addressesMax))
        }
    }

    /// Addresses of a name that are tried, one after the other, until one takes the connection.
    package static let addressesMax = 4

    /// An address that cannot be reached has got nothing of the call, so the next may have it; they share the time.
    private func post(
        _ body: [UInt8], _ fields: [WebhookField], _ url: WebhookURL, _ addresses: ArraySlice<SocketAddress>
    ) async -> WebhookAnswer {
        var failures: [String] = []
        for address in addresses {
            let endpoint = HTTPEndpoint(address: address, host: url.host, isTLS: url.isTLS)
            var head = HTTPRequestHead(method: "POST", target: url.target, authority: endpoint.authority)
            for field in fields { head.fields.append(name: field.name, value: field.value) }
            do {
                let response = try await client.send(
                    head, body: body, to: endpoint, timeoutSeconds: timeoutSeconds,
                    connectTimeout: .seconds(timeoutSeconds) / addresses.count, keeping: .nothing)
                return .status(response.head.status, retryAfter: response.head.retryAfter)
            } catch HTTPClientError.unreachable(let error) {
                failures.append(addresses.count > 1 ? "\(address): \(error)" : "\(error)")
            } catch {
                return .failed("\(error)")
            }
        }
        return .failed(failures.joined(separator: "; "))
    }
}

extension HTTPResponseHead {
    /// `Retry-After` in seconds; the form with a date is for people's clocks, and is not used.
    fileprivate var retryAfter: Duration? {
        guard let text = fields.first(.retryAfter), let seconds = Int64(text), seconds >= 0 else { return nil }
        return .seconds(min(seconds, 86_400))
    }
}
