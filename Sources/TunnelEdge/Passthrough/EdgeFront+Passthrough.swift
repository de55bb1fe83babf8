internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

// TLS that is not ended here: the server name decides before any handshake (data plane, section 7).
extension EdgeFront {
    /// What to do with a TLS connection before its handshake.
    enum Sight {
        /// The edge ends its TLS.
        case decrypt
        case carry(Tunnel)
        /// The client is told why by an alert.
        case refuse(TLSAlert)
    }

    /// A name of a passthrough tunnel is never decrypted here, whatever state the tunnel is in.
    func sight(of connection: borrowing NewConnection) -> Sight {
        guard connection.purpose == .tls, let host = connection.host else { return .decrypt }
        switch HostRole(of: host, in: parts.settings.zone) {
        case .zone, .unknownName: return .decrypt
        case .foreign: return .refuse(.unrecognizedName)
        case .tunnel(let name):
            guard let tunnel = parts.directory.tunnel(named: name) else { return .decrypt }
            switch tunnel.tlsMode {
            case .edge: return .decrypt
            case .passthrough:
                return tunnel.canServe(at: parts.registry.clock.now) ? .carry(tunnel) : .refuse(.internalError)
            }
        }
    }

    func carry(_ connection: consuming NewConnection, of tunnel: Tunnel) {
        let site = site(of: tunnel)
        guard site.admitConnection(max: parts.settings.connectionsPerTunnelMax) else {
            return refuse(connection, .internalError)
        }
        rawConnectionCount += 1
        let (number, id) = nextRequest()
        let (serverName, address) = (connection.host ?? "", "\(connection.peer.ip)")
        let pump = TCPPump.accept(connection, on: loop, settings: parts.settings.passthrough.pump) { [self] in
            site.passthroughOver(number)
            carried(site)
        }
        guard let pump else { return carried(site) }
        site.arrived(
            PassthroughSession(
                number: number, id: id, serverName: serverName, peerAddress: address, pump: pump, site: site, loop: loop))
    }

    private func carried(_ site: TunnelSite) {
        site.releaseConnection()
        tidy(site)
        rawConnectionCount -= 1
        parts.counters.releaseConnection()
    }

    /// Ends a connection by an alert, so that the client gets it: what it has sent is read first.
    func refuse(_ connection: consuming NewConnection, _ alert: TLSAlert) {
        rawConnectionCount += 1
        let pump = TCPPump.accept(connection, on: loop, settings: parts.settings.passthrough.pump) { [self] in letGoOfRaw() }
        guard let pump else { return letGoOfRaw() }
        pump.end(saying: alert.record)
    }

    private func letGoOfRaw() {
        rawConnectionCount -= 1
        parts.counters.releaseConnection()
    }

    // MARK: The agent's side

    static let bridgeProtocol = "inkbox-tunnel-tcp"

    func bind(
        tcpIDAt place: Range<Int>, _ head: HTTPRequestHead, _ edge: EdgeConnection, _ stream: HTTPStream
    ) -> any HTTPStreamReceiver {
        guard head.method == "CONNECT", head.upgradeProtocol == EdgeFront.bridgeProtocol else {
            return answer(stream, 405, "method-not-allowed", "Use CONNECT with :protocol \(EdgeFront.bridgeProtocol).")
        }
        guard let link = edge.link, link.isNamed(by: head.fields), link.acceptsCredential(of: head.fields) else {
            return answer(stream, 401, "unauthorized", "The credential is not the one that this connection said hello with.")
        }
        var fields = HTTPFields()
        if head.fields.contains(.secWebsocketProtocol) {
            guard WebSocketHandshake.isOffered(EdgeFront.bridgeProtocol, in: head.fields) else {
                return answer(stream, 400, "bad-request", "The subprotocol \(EdgeFront.bridgeProtocol) is the only one here.")
            }
            fields.append("sec-websocket-protocol", EdgeFront.bridgeProtocol)
        }
        guard let number = tcpStreamNumber(in: head.target, at: place),
            link.site.bind(number, stream, of: link, fields: fields)
        else { return answer(stream, 404, "no-such-tcp-stream", "There is no such TCP stream of this tunnel to bind.") }
        return stream.receiver ?? DiscardingReceiver()
    }

    private func tcpStreamNumber(in target: String, at place: Range<Int>) -> UInt64? {
        let prefix = PassthroughSession.idPrefix
        let id = target.utf8.span.extracting(place)
        guard id.count > prefix.utf8CodeUnitCount, id.extracting(0..<prefix.utf8CodeUnitCount).equals(prefix) else {
            return nil
        }
        return requestNumber(in: target, at: place.lowerBound + prefix.utf8CodeUnitCount..<place.upperBound)
    }
}
