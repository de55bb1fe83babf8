internal import TunnelDomain
internal import TunnelService

/// Reads members of a body, and collects everything that is wrong with them before it refuses.
private struct MemberReader {
    let body: JSONValue
    private(set) var errors: [FieldError] = []

    init(_ body: JSONValue) { self.body = body }

    mutating func refuse(_ name: String, _ detail: String) { errors.append(FieldError("/" + name, detail)) }

    /// A string that must be there.
    mutating func string(_ name: String) -> String? {
        switch body[name] {
        case .string(let text): return text
        case nil: refuse(name, "It is missing.")
        case let other?: refuse(name, "It is \(other.kindDescription); send a string.")
        }
        return nil
    }

    /// A string, null, or nothing.
    mutating func change(_ name: String) -> FieldChange<String> {
        switch body[name] {
        case nil: return .keep
        case .null: return .clear
        case .string(let text): return .set(text)
        case let other?: refuse(name, "It is \(other.kindDescription); send a string or null.")
        }
        return .keep
    }

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

    func check() throws(Problem) {
        guard errors.isEmpty else { throw Problem(invalid: errors) }
    }
}

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
