internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension CreateTunnel.Request {
    init(_ body: JSONValue) throws(Problem) {
        var reader = MemberReader(body)
        let name = reader.tunnelName()
        let description = reader.description()
        let tlsMode = reader.tlsMode()
        try reader.check()
        guard let name else { preconditionFailure("a name that is missing has been refused above") }
        self.init(name: name, description: description.applied(to: nil), tlsMode: tlsMode)
    }
}

extension UpdateTunnel.Request {
    init(_ body: JSONValue) throws(Problem) {
        var reader = MemberReader(body)
        for name in ["tunnel_name", "tls_mode"] where body[name] != nil {
            reader.refuse(name, "It cannot be changed; create a new tunnel instead.")
        }
        let description = reader.description()
        let metadata = reader.metadata()
        try reader.check()
        self.init(description: description, metadataJSON: metadata)
    }
}

/// The request of `sign-csr`.
struct SigningBody {
    let csrPEM: String

    init(_ body: JSONValue) throws(Problem) {
        var reader = MemberReader(body)
        let text = reader.string("csr_pem")
        try reader.check()
        csrPEM = text ?? ""
    }
}

extension MemberReader {
    mutating func description() -> FieldChange<String> {
        let change = change("description")
        let text = change.applied(to: nil)
        if text?.unicodeScalars.contains("\0") == true { refuse("description", "It contains the character U+0000.") }
        do throws(TunnelFieldError) { try Tunnel.check(description: text) } catch { errors.append(FieldError(error)) }
        return change
    }

    mutating func tunnelName() -> TunnelName? {
        guard let text = string("tunnel_name") else { return nil }
        do throws(TunnelNameError) {
            return try TunnelName(validating: text)
        } catch {
            refuse("tunnel_name", error.explanation)
            return nil
        }
    }

    mutating func tlsMode() -> TLSMode {
        guard body["tls_mode"] != nil, let text = string("tls_mode") else { return .edge }
        if let mode = TLSMode(rawValue: text) { return mode }
        refuse("tls_mode", "It is neither edge nor passthrough.")
        return .edge
    }

    mutating func metadata() -> FieldChange<String> {
        guard let value = body["metadata"], value != .null else { return body["metadata"] == nil ? .keep : .clear }
        guard case .object = value else {
            refuse("metadata", "It is \(value.kindDescription); send an object or null.")
            return .keep
        }
        let text = String(decoding: value.serialized, as: UTF8.self)
        do throws(TunnelFieldError) { try Tunnel.check(metadataJSON: text) } catch { errors.append(FieldError(error)) }
        return .set(text)
    }
}
